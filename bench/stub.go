package main

import "context"

const childArgument = "child"

func child(context.Context) error                        { return nil }
func idle(context.Context, plan) ([]figure, error)       { return nil, nil }
func reconnects(context.Context, plan) ([]figure, error) { return nil, nil }
func pysig(context.Context, plan) ([]figure, error)      { return nil, nil }
func savePage(string, plan, []figure) error              { return nil }
