// Package token keeps the tokens with which clients may use a router: who has one, as
// a hash, and what it is good for.
package token
