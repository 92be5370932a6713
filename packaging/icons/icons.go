// Package icons carries the application's icon, as a freedesktop.org icon theme
// keeps it. The files are drawn by packaging/icons/gen.
package icons

import "embed"

// Theme holds hicolor/SIZExSIZE/apps/sigalert.png for the sizes 16, 22, 24, 32,
// 48, 64, 128 and 256, and hicolor/scalable/apps/sigalert.svg.
//
//go:embed hicolor
var Theme embed.FS
