package token

// giveToOwner has nothing to do: files belong to whom their folder says.
func giveToOwner(string) error { return nil }
