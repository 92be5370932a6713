// Package token keeps the tokens with which clients may use a router: who has one, as
// a hash, and what it is good for.
//
// # Usage
//
// [New], [Revoke] and [List] change and show the file, of any router, running or not. A
// router that uses it has a [Book], which is its [sig.Access] and follows the file:
// clients whose token has been revoked or has expired are disconnected within a second.
//
// [Provide] lets the programs of the router's own user, on its machine, use it without
// being set up; [Local] is what they find.
//
// # Secrets
//
// The file has the SHA-256 of a token, not the token. Nothing slower is called for: a
// token is 256 random bits, which nobody can try, however fast the hash. Nor does a
// comparison that takes longer the more is right help anybody: it is the hash that is
// looked up, and nobody chooses what it begins with.
package token
