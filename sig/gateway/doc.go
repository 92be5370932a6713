// Package gateway answers HTTP at a router's own port.
package gateway
