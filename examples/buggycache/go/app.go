// What a GoFr application is, as far as this example needs it: handlers that return what they answer, the same ports
// (HTTP_PORT, METRICS_PORT), the same routes under /metrics and /debug/pprof, the same answers ({"data": …}) and response
// histogram (app_http_response), made of the same parts (gorilla/mux, client_golang, net/http/pprof). One thing is
// different on purpose: both ports are on loopback, where GoFr takes every address of the machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Context is what a handler is given: the request, and its end as a context.Context.
type Context struct {
	context.Context
	request *http.Request
}

func (c *Context) Param(name string) string { return c.request.URL.Query().Get(name) }

func (c *Context) ReadBody() ([]byte, error) {
	return io.ReadAll(io.LimitReader(c.request.Body, 1<<20))
}

// Handler answers a request: with an object, with bytes that are JSON already, or with an error.
type Handler func(*Context) (any, error)

type App struct {
	router   *mux.Router
	registry *prometheus.Registry
	response *prometheus.HistogramVec
}

func newApp() *App {
	a := &App{router: mux.NewRouter(), registry: prometheus.NewRegistry()}
	a.response = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "app_http_response",
		Help:    "Response time of HTTP requests in seconds.",
		Buckets: []float64{.001, .003, .005, .01, .02, .03, .05, .1, .2, .3, .5, .75, 1, 2, 3, 5, 10, 30},
	}, []string{"path", "method"})
	a.registry.MustRegister(a.response, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)))
	return a
}

func (a *App) GET(path string, h Handler) { a.add(http.MethodGet, path, h) }

func (a *App) POST(path string, h Handler) { a.add(http.MethodPost, path, h) }

func (a *App) add(method, path string, h Handler) {
	took := a.response.WithLabelValues(path, method)
	a.router.Methods(method).Path(path).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer, err := h(&Context{Context: r.Context(), request: r})
		respond(w, answer, err)
		took.Observe(time.Since(start).Seconds())
	})
}

func respond(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if text, ok := answer.([]byte); ok && err == nil {
		_, _ = w.Write(text)
		return
	}
	body := map[string]any{"data": answer}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		body = map[string]any{"error": map[string]string{"message": err.Error()}}
	}
	_ = json.NewEncoder(w).Encode(body)
}

// The metrics server: nothing of it belongs on a public address.
func (a *App) metrics() http.Handler {
	m := mux.NewRouter()
	m.Methods(http.MethodGet).Path("/metrics").Handler(promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}))
	m.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	m.HandleFunc("/debug/pprof/profile", pprof.Profile)
	m.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	m.HandleFunc("/debug/pprof/trace", pprof.Trace)
	m.Methods(http.MethodGet).PathPrefix("/debug/pprof/").HandlerFunc(pprof.Index)
	return m
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func duration(name string, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(setting(name, otherwise.String()))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return d
}

func serve(port string, h http.Handler) *http.Server {
	s := &http.Server{Addr: net.JoinHostPort("127.0.0.1", port), Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	return s
}

// Run serves until SIGTERM.
func (a *App) Run() {
	app := serve(setting("HTTP_PORT", "8000"), a.router)
	if port := setting("METRICS_PORT", "2121"); port != "0" {
		serve(port, a.metrics())
	}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
	deadline, end := context.WithTimeout(context.Background(), time.Second)
	defer end()
	_ = app.Shutdown(deadline)
}
