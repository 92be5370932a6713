// Package history keeps an agent's alerts, and shows them as a page.
package history
