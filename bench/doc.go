// Bench measures package sig against NATS: each figure of ours stands beside
// that of an embedded nats-server with nats.go clients which do the same, in
// the same run, on the same machine.
//
// The events that arrive by HTTP are compared with gotify's server.
//
//	go run .                                 prints the tables
//	go run . -quick -only b,c                a smoke run of two measures
//	go run . -save ../docs/benchmarks.md     saves it too, with a plot
//
// # Files
//
// A measure is a file: trigger (a), fanout (b), latency (c), request (d), idle
// (e), reconnect (f), pysig (g), web (h), kept (i). What is measured is a system, in two
// forms: ours and nats; for web, ours and gotify. child starts a server or many
// clients as a process of its own. report and plot write down what came out.
//
// It needs Linux, as it reads /proc, and a C compiler, to build gotify.
package main
