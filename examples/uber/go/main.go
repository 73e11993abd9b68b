// Three services of one company in one program, which differ in what they hold and what they throw away. SHAPE=router
// keeps little, SHAPE=pricing a middling cache, SHAPE=matcher most of what its container allows.
package main

import (
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
)

// What is held, looked at for a request, and kept room for with each candidate. The pricing service has many reasons: it
// throws away so much that its collector shows on a fast machine too.
var shapes = map[string]struct{ drivers, candidates, reasons int }{
	"router":  {20000, 600, 2},
	"pricing": {220000, 600, 16},
	"matcher": {560000, 600, 2},
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func serve(port string, h http.Handler) {
	log.Fatal(http.ListenAndServe(net.JoinHostPort("127.0.0.1", port), h))
}

func main() {
	shape, known := shapes[setting("SHAPE", "router")]
	if !known {
		log.Fatal("SHAPE: router, pricing or matcher")
	}
	city := newCity(shape.drivers)
	metrics := http.NewServeMux()
	metrics.HandleFunc("/debug/pprof/", pprof.Index)
	metrics.HandleFunc("/debug/pprof/profile", pprof.Profile)
	go serve(setting("METRICS_PORT", "2121"), metrics)
	app := http.NewServeMux()
	app.HandleFunc("/match", func(w http.ResponseWriter, r *http.Request) {
		trip, _ := strconv.Atoi(r.URL.Query().Get("trip"))
		_, _ = w.Write(city.match(trip, shape.candidates, shape.reasons))
	})
	app.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up\n")) })
	serve(setting("HTTP_PORT", "8000"), app)
}
