package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFilesAreWhatIsDrawn(t *testing.T) {
	for name, want := range files() {
		got, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !same(t, name, got, want) {
			t.Errorf("%s is not what is drawn: run go generate ./packaging/icons/gen", name)
		}
	}
}

// same compares a PNG by its pixels: how well it is packed depends on the Go
// release.
func same(t *testing.T, name string, got, want []byte) bool {
	if !strings.HasSuffix(name, ".png") {
		return bytes.Equal(got, want)
	}
	return reflect.DeepEqual(decode(t, name, got), decode(t, name, want))
}

func decode(t *testing.T, name string, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

func TestRender(t *testing.T) {
	const square = "M 1 1 L 3 1 L 3 3 L 1 3 Z"
	full := color.NRGBA{0xe0, 0x2f, 0x2f, 0xff}
	half := full
	half.A = 128
	clear := color.NRGBA{}
	for _, test := range []struct {
		name   string
		layers []layer
		pixels int
		x, y   int
		want   color.NRGBA
	}{
		{"inside", []layer{{path: square, color: red}}, 4, 1, 1, full},
		{"outside", []layer{{path: square, color: red}}, 4, 0, 1, clear},
		{"edge through a pixel", []layer{{path: "M 0 0 L 1 0 L 1 4 L 0 4 Z", color: red}}, 2, 0, 0, half},
		{"even-odd hole", []layer{{path: square + " M 1 1 L 2 1 L 2 2 L 1 2 Z", color: red}}, 4, 1, 1, clear},
		{"later layer on top", []layer{{path: square, color: blue}, {path: square, color: red}}, 4, 2, 2, full},
		{"rubbed out", []layer{{path: square, color: red}, {path: square, color: rubOut}}, 4, 1, 1, color.NRGBA{0xe0, 0x2f, 0x2f, 0}},
		{"line", []layer{{path: "M 0 2 L 4 2", color: red, width: 2}}, 4, 2, 1, full},
		{"beside the line", []layer{{path: "M 0 2 L 4 2", color: red, width: 2}}, 4, 2, 0, clear},
	} {
		got := drawing{4, test.layers}.render(test.pixels).NRGBAAt(test.x, test.y)
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Every look must be told from the others without its color.
func TestLooksDifferInShape(t *testing.T) {
	const least = 20 // of the 484 pixels of a small panel's icon
	drawn := map[string]*image.NRGBA{}
	for name, d := range looks() {
		drawn[name] = d.render(22)
	}
	for a, imgA := range drawn {
		for b, imgB := range drawn {
			if n := differing(imgA, imgB); a < b && n < least {
				t.Errorf("%s and %s differ in %d pixels", a, b, n)
			}
		}
	}
}

// differing counts the pixels that are set in one image only.
func differing(a, b *image.NRGBA) int {
	n := 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			if a.NRGBAAt(x, y).A >= 128 != (b.NRGBAAt(x, y).A >= 128) {
				n++
			}
		}
	}
	return n
}
