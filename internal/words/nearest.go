package words

import "strings"

// Nearest is the known word that was probably meant, whatever the case of its
// letters; "" if none is close: a third of the letters may differ, or the end be
// missing.
func Nearest(word string, known []string) string {
	if len(word) > 40 || word == "" {
		return ""
	}
	best, distance := "", (len(word)+2)/3+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	for _, k := range known {
		if best == "" && len(word) > 2 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) {
			best = k
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour.
func editDistance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := append(make([]int, 0, len(b)+1), i+1)
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row = append(row, d)
		}
		before, last = last, row
	}
	return last[len(b)]
}
