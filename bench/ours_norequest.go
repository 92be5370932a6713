//go:build !sigrequests

package main

import "context"

func (c *ourClients) echo(context.Context) error { return errNoRequests }

func (c *ourClients) requester(context.Context) (func([]byte) ([]byte, error), error) {
	return nil, errNoRequests
}
