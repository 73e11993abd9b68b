package main

// The same cache without pointers: entries in one slice, linked by their positions, found by a map whose keys and
// values are numbers. The collector sees two objects and looks into neither.
type flatStore struct {
	byKey   map[flatKey]uint32
	entries []flatEntry // [0] closes the ring: its next is the most recent, its previous the oldest
}

type flatKey struct{ user, channel uint64 }

type flatEntry struct {
	key            flatKey
	state          state
	next, previous uint32
}

func newFlatStore(capacity int) *flatStore {
	return &flatStore{make(map[flatKey]uint32, capacity), make([]flatEntry, 1, capacity+1)}
}

func (s *flatStore) size() int { return len(s.entries) - 1 }

func (s *flatStore) unlink(at uint32) {
	e := &s.entries[at]
	s.entries[e.next].previous = e.previous
	s.entries[e.previous].next = e.next
}

func (s *flatStore) toFront(at uint32) {
	first := s.entries[0].next
	s.entries[at].next, s.entries[at].previous = first, 0
	s.entries[first].previous = at
	s.entries[0].next = at
}

func (s *flatStore) read(user, channel uint64) (state, bool) {
	at, known := s.byKey[flatKey{user, channel}]
	if !known {
		return state{}, false
	}
	s.unlink(at)
	s.toFront(at)
	return s.entries[at].state, true
}

func (s *flatStore) write(user, channel uint64, value state) {
	key := flatKey{user, channel}
	at, known := s.byKey[key]
	switch {
	case known:
		s.unlink(at)
	case len(s.entries) < cap(s.entries):
		at = uint32(len(s.entries))
		s.entries = append(s.entries, flatEntry{})
	default:
		at = s.entries[0].previous
		s.unlink(at)
		delete(s.byKey, s.entries[at].key)
	}
	s.entries[at].key, s.entries[at].state = key, value
	s.byKey[key] = at
	s.toFront(at)
}
