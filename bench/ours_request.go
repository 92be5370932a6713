package main

import (
	"context"

	"sigalert/sig"
)

const (
	echoName   = sig.Name("echo")
	methodName = sig.Name("say")
)

func (c *ourClients) echo(ctx context.Context) error {
	_, err := c.client(nil).AddRemoteSenderWith(ctx, echoName, sig.SenderOptions{
		Requests: map[sig.Name]sig.RequestFunc{
			methodName: func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
		},
	})
	return err
}

func (c *ourClients) requester(ctx context.Context) (func([]byte) ([]byte, error), error) {
	client := c.client(nil)
	if err := client.Connect(ctx); err != nil {
		return nil, err
	}
	return func(data []byte) ([]byte, error) {
		answer, err := client.RemoteRequest(c.ctx, echoName, methodName, sig.JSONData(data))
		if err != nil {
			return nil, err
		}
		return answer.JSON()
	}, nil
}
