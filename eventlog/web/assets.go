package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"sigalert/packaging/icons"
)

//go:embed assets
var files embed.FS

// Each page and fragment is a template of this set.
var templates = template.Must(template.ParseFS(files, "assets/*.html"))

// serveAsset serves the style, the script and the icon; the templates are
// not public.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	switch r.URL.Path {
	case "/assets/log.css", "/assets/log.js":
		http.ServeFileFS(w, r, files, r.URL.Path[1:])
	case "/assets/icon.svg":
		http.ServeFileFS(w, r, icons.Theme, "hicolor/scalable/apps/sigalert.svg")
	default:
		nothing(w, r)
	}
}

// render answers with a page.
func (h *Handler) render(w http.ResponseWriter, r *http.Request, status int, name string, v any) {
	text, err := h.fragment(name, v)
	if err != nil {
		h.logger.Error("cannot make the page", "page", name, "err", err)
		fail(w, r, http.StatusInternalServerError, "cannot make the page: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func (h *Handler) fragment(name string, v any) ([]byte, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, name, v)
	return b.Bytes(), err
}
