// Package history keeps what an agent has alerted, and shows it as a page.
package history
