package main

import (
	"math"
	"sort"
	"strconv"
	"sync"
)

// A driver, as it is kept: small objects that point to each other.
type driver struct {
	name    string
	area    *area
	history []*ride
}

type area struct{ x, y float64 }

type ride struct {
	stars float64
	miles float64
}

type city struct {
	lock    sync.RWMutex
	drivers []*driver
}

func newDriver(i int) *driver {
	d := &driver{name: "driver-" + strconv.Itoa(i), area: &area{float64(i % 317), float64(i % 211)}}
	for r := range 2 {
		d.history = append(d.history, &ride{stars: float64((i+r)%5 + 1), miles: float64(i%40 + r)})
	}
	return d
}

func newCity(drivers int) *city {
	c := &city{drivers: make([]*driver, drivers)}
	for i := range c.drivers {
		c.drivers[i] = newDriver(i)
	}
	return c
}

// What a driver is worth for a trip, by one of several rules.
type rule interface {
	score(d *driver, x, y float64) float64
}

type byDistance struct{}

func (byDistance) score(d *driver, x, y float64) float64 {
	return -math.Hypot(d.area.x-x, d.area.y-y)
}

type byStars struct{ weight float64 }

func (r byStars) score(d *driver, x, y float64) float64 {
	sum := 0.0
	for _, ride := range d.history {
		sum += ride.stars + ride.miles/100
	}
	return r.weight*sum/float64(len(d.history)) - math.Abs(d.area.x-x) - math.Abs(d.area.y-y)
}

// Nine trips in ten are matched by stars.
func ruleFor(trip int) rule {
	if trip%10 == 0 {
		return byDistance{}
	}
	return byStars{weight: 4}
}

type candidate struct {
	driver *driver
	worth  float64
	label  string
	why    []reason
}

type reason struct {
	name  string
	value float64
}

func explain(d *driver, x, y float64, room int) []reason {
	why := make([]reason, 0, room)
	return append(why, reason{"away", math.Abs(d.area.x-x) + math.Abs(d.area.y-y)}, reason{"rides", float64(len(d.history))})
}

const shown = 20

// keepBest puts a candidate where it belongs among the best ones.
func keepBest(best []*candidate, c *candidate) []*candidate {
	if len(best) == shown {
		if best[shown-1].worth >= c.worth {
			return best
		}
		best = best[:shown-1]
	}
	at := sort.Search(len(best), func(i int) bool { return best[i].worth < c.worth })
	best = append(best, nil)
	copy(best[at+1:], best[at:])
	best[at] = c
	return best
}

// match looks at some drivers, keeps those that are worth most for the trip, and lets one in the city change.
func (c *city) match(trip, count, reasons int) []byte {
	x, y, r := float64(trip%317), float64(trip%211), ruleFor(trip)
	best := make([]*candidate, 0, shown)
	c.lock.RLock()
	at := trip * 7919 % len(c.drivers)
	for range count {
		d := c.drivers[at]
		at = (at + 31) % len(c.drivers)
		best = keepBest(best, &candidate{d, r.score(d, x, y), d.name + "@" + strconv.Itoa(int(d.area.x)), explain(d, x, y, reasons)})
	}
	c.lock.RUnlock()

	c.lock.Lock()
	c.drivers[trip*104729%len(c.drivers)] = newDriver(trip)
	c.lock.Unlock()
	answer := []byte("[")
	for i, f := range best {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = strconv.AppendQuote(answer, f.label)
		answer = strconv.AppendFloat(append(answer, ':'), f.worth, 'f', 2, 64)
	}
	return append(answer, ']', '\n')
}
