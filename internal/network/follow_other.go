//go:build !linux

package network

import "context"

func follow(context.Context, func()) {}
