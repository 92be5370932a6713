// Package certificate has a server's certificate, the one in files that somebody else
// renews or one that the server makes for itself, and the authorities of its clients'.
package certificate
