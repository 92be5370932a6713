// Package config reads and checks the agent's configuration file.
//
// A file is decoded, checked and compiled in one walk over its YAML, which finds
// every problem with its line. The result is immutable: a changed file makes a new
// [Config].
package config
