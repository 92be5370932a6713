package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"strings"
)

// The sizes in pixels. A tray of 22 pixels on a screen of twice the density
// takes 44 as it is.
const trayPixels = 44

var (
	applicationPixels = []int{16, 22, 24, 32, 48, 64, 128, 256}
	windowsPixels     = []int{16, 24, 32, 48}
)

// files returns what is drawn, by its path below the top of the source tree.
func files() map[string][]byte {
	all := make(map[string][]byte)
	for name, d := range looks() {
		all["tray/icons/"+name+".png"] = encodePNG(d.render(trayPixels))
		all["tray/icons/"+name+".ico"] = encodeICO(d, windowsPixels)
	}
	const theme = "packaging/icons/hicolor/"
	for _, n := range applicationPixels {
		all[fmt.Sprintf(theme+"%dx%d/apps/sigalert.png", n, n)] = encodePNG(application().render(n))
	}
	all[theme+"scalable/apps/sigalert.svg"] = encodeSVG(application())
	return all
}

func encodePNG(img image.Image) []byte {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// encodeSVG writes d, which must rub nothing out.
func encodeSVG(d drawing) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n", d.size, d.size)
	for _, l := range d.layers {
		c := fmt.Sprintf("#%02x%02x%02x", l.color.R, l.color.G, l.color.B)
		if l.width == 0 {
			fmt.Fprintf(&b, "  <path fill=\"%s\" d=\"%s\"/>\n", c, l.path)
			continue
		}
		fmt.Fprintf(&b, "  <path fill=\"none\" stroke=\"%s\" stroke-width=\"%g\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"%s\"/>\n", c, l.width, l.path)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// encodeICO draws d in each size, as the 32-bit bitmaps that every Windows
// reads.
func encodeICO(d drawing, sizes []int) []byte {
	const (
		directory = 6
		entry     = 16
	)
	head := le(nil, 0, 1, len(sizes))
	var body []byte
	for _, n := range sizes {
		bitmap := encodeBitmap(d.render(n))
		at := directory + entry*len(sizes) + len(body)
		head = append(head, byte(n), byte(n), 0, 0)
		head = le(head, 1, 32)
		head = binary.LittleEndian.AppendUint32(head, uint32(len(bitmap)))
		head = binary.LittleEndian.AppendUint32(head, uint32(at))
		body = append(body, bitmap...)
	}
	return append(head, body...)
}

// encodeBitmap writes a square image as the bitmap of an icon: a header that
// counts the rows twice, the pixels from the last row up, and an empty mask, as
// the pixels bring their own alpha.
func encodeBitmap(img *image.NRGBA) []byte {
	n := img.Rect.Dx()
	maskRow := (n + 31) / 32 * 4
	b := binary.LittleEndian.AppendUint32(nil, 40)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*n))
	b = le(b, 1, 32)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(4*n*n+maskRow*n))
	b = append(b, make([]byte, 16)...)
	for y := n - 1; y >= 0; y-- {
		for x := range n {
			c := img.NRGBAAt(x, y)
			b = append(b, c.B, c.G, c.R, c.A)
		}
	}
	return append(b, make([]byte, maskRow*n)...)
}

// le appends 16-bit values.
func le(b []byte, values ...int) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}
