package notify_test

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"sigalert/agent/notify"
)

var (
	red  = color.NRGBA{200, 0, 0, 255}
	half = color.NRGBA{0, 200, 0, 128}
)

// picture is red on the left and half transparent green on the right.
func picture(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(half), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 0, w/2, h), image.NewUniform(red), image.Point{}, draw.Src)
	return m
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, m image.Image) []byte {
	return encoded(t, func(w io.Writer) error { return png.Encode(w, m) })
}

func asJPEG(t testing.TB, m image.Image) []byte {
	return encoded(t, func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 95}) })
}

func TestReadImage(t *testing.T) {
	asGIF := func(m image.Image) []byte {
		return encoded(t, func(w io.Writer) error { return gif.Encode(w, m, nil) })
	}
	for _, test := range []struct {
		name  string
		data  []byte
		w, h  int
		left  color.NRGBA
		right color.NRGBA
	}{
		{"small", asPNG(t, picture(20, 10)), 20, 10, red, half},
		{"wide", asPNG(t, picture(1000, 500)), 128, 64, red, half},
		{"high", asPNG(t, picture(300, 1200)), 32, 128, red, half},
		{"thin", asPNG(t, picture(4000, 1)), 128, 1, red, half},
		{"jpeg", asJPEG(t, picture(256, 256)), 128, 128, red, color.NRGBA{0, 100, 0, 255}},
		{"gif", asGIF(picture(256, 128)), 128, 64, red, color.NRGBA{0, 100, 0, 255}},
		{"as large as may be", asPNG(t, image.NewGray(image.Rect(0, 0, 2048, 1024))), 128, 64, color.NRGBA{A: 255}, color.NRGBA{A: 255}},
	} {
		got, err := notify.ReadImage(test.data)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got.Width != test.w || got.Height != test.h || len(got.Pixels) != 4*test.w*test.h {
			t.Errorf("%s: %d by %d, %d bytes", test.name, got.Width, got.Height, len(got.Pixels))
			continue
		}
		m := image.NRGBA{Pix: got.Pixels, Stride: 4 * got.Width, Rect: image.Rect(0, 0, got.Width, got.Height)}
		for x, want := range map[int]color.NRGBA{2: test.left, got.Width - 3: test.right} {
			if c := m.NRGBAAt(x, got.Height/2); !near(c, want) {
				t.Errorf("%s: %v at %d, want %v", test.name, c, x, want)
			}
		}
	}
}

func near(a, b color.NRGBA) bool {
	for _, d := range [][2]uint8{{a.R, b.R}, {a.G, b.G}, {a.B, b.B}, {a.A, b.A}} {
		if int(d[0])-int(d[1]) > 30 || int(d[1])-int(d[0]) > 30 {
			return false
		}
	}
	return true
}

// A header that lies: the picture would take much memory, or none.
func resized(data []byte, w, h uint32) []byte {
	data = bytes.Clone(data)
	for i := range 4 {
		data[16+i], data[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	sum := crc32.ChecksumIEEE(data[12:29])
	for i := range 4 {
		data[29+i] = byte(sum >> (24 - 8*i))
	}
	return data
}

func TestReadImageRefuses(t *testing.T) {
	good, photo := asPNG(t, picture(20, 10)), asJPEG(t, picture(64, 64))
	for want, data := range map[string][]byte{
		"not a PNG, JPEG or GIF image": []byte("<svg/>"),
		"not a PNG":                    nil,
		"damaged image":                good[:len(good)-20],
		"65535 by 65535":               resized(good, 65535, 65535),
		"at most 2097152 in all":       resized(good, 2049, 1024),
		"2147483647 by 1 pixels":       resized(good, 1<<31-1, 1),
		"not a PNG, JPEG or GIF":       resized(good, 0, 5),
		"more than 20 scans":           append(photo, bytes.Repeat([]byte{0xff, 0xda}, 40)...),
	} {
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := notify.ReadImage(data); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
		if allocated > 1000 {
			t.Errorf("%s: %f allocations", want, allocated)
		}
	}
}

func FuzzReadImage(f *testing.F) {
	f.Add(asPNG(f, picture(20, 10)))
	f.Add(asJPEG(f, picture(20, 10)))
	f.Add(encoded(f, func(w io.Writer) error { return gif.Encode(w, picture(20, 10), nil) }))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := notify.ReadImage(data)
		if err == nil && (m.Width < 1 || m.Height < 1 || m.Width > 128 || m.Height > 128 || len(m.Pixels) != 4*m.Width*m.Height) {
			t.Errorf("%d by %d, %d bytes", m.Width, m.Height, len(m.Pixels))
		}
	})
}

func BenchmarkReadImage(b *testing.B) {
	noise := image.NewNRGBA(image.Rect(0, 0, 1920, 1080))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i*i>>7) | 3
	}
	large := image.NewNRGBA64(image.Rect(0, 0, 2048, 1024))
	for name, data := range map[string][]byte{
		"photo": asJPEG(b, noise), "16bit": asPNG(b, large), "flat jpeg": asJPEG(b, image.NewGray(large.Rect)), "flat": asPNG(b, image.NewNRGBA(large.Rect)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(data))/1024, "KiB")
			for b.Loop() {
				if _, err := notify.ReadImage(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
