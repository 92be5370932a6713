package gateway

import "net/http"

const policy = "default-src 'none'"

func (g *gateway) page(w http.ResponseWriter, r *http.Request) error                    { return nil }
func (g *gateway) postRoot(w http.ResponseWriter, r *http.Request) error                { return nil }
func (g *gateway) stream(w http.ResponseWriter, r *http.Request) error                  { return nil }
func (g *gateway) gotify(w http.ResponseWriter, r *http.Request) error                  { return nil }
func (g *gateway) topic(name string) func(w http.ResponseWriter, r *http.Request) error { return nil }
