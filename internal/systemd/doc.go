// Package systemd is a service's side of what systemd agrees with its services:
// sockets that it passes on, and messages about how the service is doing.
package systemd
