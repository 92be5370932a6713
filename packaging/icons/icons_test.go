package icons

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

var looks = []string{"connected", "connecting", "paused", "trouble"}

func TestFilesAreWhatIsDrawn(t *testing.T) {
	if _, err := exec.LookPath("rsvg-convert"); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, size := range []int{16, 22, 24, 32, 48, 64, 128, 256} {
		file := fmt.Sprintf("hicolor/%dx%d/apps/sigalert.png", size, size)
		compare(t, file, readPNG(t, file), "hicolor/scalable/apps/sigalert.svg", size)
	}
	for _, look := range looks {
		drawing := "tray/" + look + ".svg"
		file := "../../tray/icons/" + look + ".png"
		compare(t, file, readPNG(t, file), drawing, 44)

		file = "../../tray/icons/" + look + ".ico"
		images := readICO(t, file)
		if len(images) != 4 {
			t.Fatalf("%s holds %d images", file, len(images))
		}
		for i, size := range []int{16, 24, 32, 48} {
			compare(t, file, images[i], drawing, size)
		}
	}
}

// compare reports an error unless got is the drawing at that size. Small
// differences at the edges are allowed: renderers smooth them in their own ways.
func compare(t *testing.T, file string, got image.Image, drawing string, size int) {
	t.Helper()
	pixels := strconv.Itoa(size)
	render := exec.Command("rsvg-convert", "-w", pixels, "-h", pixels)
	// Go's test cache sees that a drawing has changed only if the test itself reads it.
	render.Stdin = bytes.NewReader(read(t, drawing))
	data, err := render.Output()
	if err != nil {
		t.Fatalf("%s: %v", drawing, err)
	}
	want := decodePNG(t, drawing, data)
	if got.Bounds() != want.Bounds() {
		t.Errorf("%s: bounds %v, want %v", file, got.Bounds(), want.Bounds())
		return
	}
	for y := range size {
		for x := range size {
			if !near(got.At(x, y), want.At(x, y)) {
				t.Errorf("%s is not what %s shows at %d pixels: run make icons", file, drawing, size)
				return
			}
		}
	}
}

func near(a, b color.Color) bool {
	const most = 0xffff / 8
	r1, g1, b1, a1 := a.RGBA()
	r2, g2, b2, a2 := b.RGBA()
	for _, pair := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
		if max(pair[0], pair[1])-min(pair[0], pair[1]) > most {
			return false
		}
	}
	return true
}

// Each look must be recognizable without its color, at every size.
func TestLooksDifferInShape(t *testing.T) {
	for i, a := range looks {
		for _, b := range looks[i+1:] {
			imagesB := readICO(t, "../../tray/icons/"+b+".ico")
			for k, imageA := range readICO(t, "../../tray/icons/"+a+".ico") {
				size := imageA.Rect.Dx()
				if n := differing(imageA, imagesB[k]); n < size*size/24 {
					t.Errorf("%s and %s differ in only %d pixels at size %d", a, b, n, size)
				}
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

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readPNG(t *testing.T, file string) image.Image {
	t.Helper()
	return decodePNG(t, file, read(t, file))
}

func decodePNG(t *testing.T, name string, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

// readICO reads square bitmaps of 32 bits a pixel, which every Windows reads.
func readICO(t *testing.T, file string) []*image.NRGBA {
	t.Helper()
	const directory, entry, header = 6, 16, 40
	data := read(t, file)
	var images []*image.NRGBA
	for i := range int(binary.LittleEndian.Uint16(data[4:])) {
		e := data[directory+i*entry:]
		size := int(e[0])
		bitmap := data[binary.LittleEndian.Uint32(e[12:]):]
		if bits := binary.LittleEndian.Uint16(bitmap[14:]); bits != 32 {
			t.Fatalf("%s has %d bits a pixel", file, bits)
		}
		img := image.NewNRGBA(image.Rect(0, 0, size, size))
		pixels := bitmap[header:]
		for y := size - 1; y >= 0; y-- { // from the last row up
			for x := range size {
				img.SetNRGBA(x, y, color.NRGBA{pixels[2], pixels[1], pixels[0], pixels[3]})
				pixels = pixels[4:]
			}
		}
		images = append(images, img)
	}
	return images
}

// Each look stands out, by the 3:1 that WCAG 2.2 asks of graphics, from panels that are
// white, or as light or dark as Breeze's, or black.
func TestLooksStandOut(t *testing.T) {
	panels := []color.NRGBA{{255, 255, 255, 255}, {0xef, 0xf0, 0xf1, 255}, {0x31, 0x36, 0x3b, 255}, {0, 0, 0, 255}}
	for _, look := range looks {
		file := "../../tray/icons/" + look + ".png"
		img := readPNG(t, file)
		least := make([]float64, len(panels))
		for i, panel := range panels {
			least[i] = 21
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					if p := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA); p.A == 255 {
						least[i] = min(least[i], contrast(p, panel))
					}
				}
			}
			if least[i] < 3 || least[i] == 21 {
				t.Errorf("%s on %v: a contrast of %.2f", file, panel, least[i])
			}
		}
		t.Logf("%s: %.2f", look, least)
	}
}

// contrast is that of WCAG 2.2.
func contrast(a, b color.NRGBA) float64 {
	luminance := func(c color.NRGBA) float64 {
		linear := func(v uint8) float64 {
			if f := float64(v) / 255; f > 0.04045 {
				return math.Pow((f+0.055)/1.055, 2.4)
			}
			return float64(v) / 255 / 12.92
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	l, m := luminance(a), luminance(b)
	return (max(l, m) + 0.05) / (min(l, m) + 0.05)
}
