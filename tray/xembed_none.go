//go:build !(linux && gtk && cgo && !android)

package tray

// XEmbed says that panels that know only this older protocol show the icon, too.
const XEmbed = false
