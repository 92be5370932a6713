// Command gen draws the project's icons: the application's, and the four looks
// of the tray.
//
//	go run ./packaging/icons/gen DIR
//
// writes them below DIR, the top of the source tree. The shapes are in art.go;
// what is drawn is the same on every machine, so the files are kept in the
// source and a test compares them with the drawing.
package main
