package main

import (
	"encoding/json"

	jsoniter "github.com/json-iterator/go"
)

type order struct {
	ID       int64             `json:"id"`
	Customer string            `json:"customer"`
	Items    []orderItem       `json:"items"`
	Notes    map[string]string `json:"notes"`
	Total    float64           `json:"total"`
}

type orderItem struct {
	Name  string   `json:"name"`
	Price float64  `json:"price"`
	Count int      `json:"count"`
	Tags  []string `json:"tags"`
}

// What the service does with an order: little.
func addUp(o *order) {
	o.Total = 0
	for _, i := range o.Items {
		o.Total += i.Price * float64(i.Count)
	}
}

// The bug: encoding/json, by reflection, twice a request, on 10 KB.
func slowJSONHandler(c *Context) (any, error) {
	var o order
	body, err := c.ReadBody()
	if err == nil {
		err = json.Unmarshal(body, &o)
	}
	if err != nil {
		return nil, err
	}
	addUp(&o)
	return json.Marshal(&o)
}

var fastJSON = jsoniter.ConfigFastest

// The fix: jsoniter, which makes a coder for each type once.
func fastJSONHandler(c *Context) (any, error) {
	var o order
	body, err := c.ReadBody()
	if err == nil {
		err = fastJSON.Unmarshal(body, &o)
	}
	if err != nil {
		return nil, err
	}
	addUp(&o)
	return fastJSON.Marshal(&o)
}
