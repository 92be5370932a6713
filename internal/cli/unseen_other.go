//go:build !windows

package cli

func showUnseen(string) {}
