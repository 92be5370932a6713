// Package network notices that this machine's addresses or routes have changed.
package network
