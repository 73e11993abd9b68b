/*
 * profuse/collect.h: one profile from one running service.
 *
 * Services speak pprof over HTTP: Go's net/http/pprof, libprofuse-agent and
 * whatever imitates them. A collection asks, waits out the window, retries while
 * another profile is being taken, and hands over bytes only if they are a valid
 * profile. It blocks the calling thread; collections in several threads are
 * independent. It writes no file.
 */
#ifndef PROFUSE_COLLECT_H
#define PROFUSE_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>
#include <profuse/profile.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum pf_collect_phase {
	PF_COLLECT_WAITING,   /* asked; the service is measuring */
	PF_COLLECT_RECEIVING, /* the profile is coming */
	PF_COLLECT_RETRYING,  /* pausing before another attempt */
};

struct pf_collect_progress {
	enum pf_collect_phase phase;
	double elapsed;            /* seconds since this attempt, or this pause, began */
	unsigned attempt;          /* from 1 */
	uint64_t bytes;            /* of the body so far */
	const char *source, *type; /* the address for messages, and the profile's type */
	uint32_t seconds;          /* the window; 0: a snapshot */
};

/*
 * Strings are borrowed for the call; NULL is "not given". Durations are seconds,
 * 0 stands for the default in brackets. Fill with PF_COLLECT_OPTIONS_INIT.
 */
struct pf_collect_options {
	size_t struct_size;
	const char *
	    type; /* cpu, heap, allocs, goroutine, mutex, block, threads [cpu, or what the URL says] */
	uint32_t
	    seconds; /* the window; [30 for cpu; the others are a snapshot, or the change over it] */
	double connect_timeout; /* [10] */
	double timeout;         /* one attempt, longer than the window [the window + 30] */
	double stall_timeout;   /* a pause inside the body [10] */
	double
	    retry_for; /* new attempts may start this long after the first; below 0: never [the window + 30] */
	uint64_t
	    max_size; /* of the body, and of the profile inflated [256 MiB, and 200 : 1 over 16 MiB] */
	int max_redirects;                          /* below 0: none [5] */
	const char *ca_file, *cert_file, *key_file; /* PEM */
	bool insecure;                              /* the server's certificate is not verified */
	/* Secrets; a file beats a value. One of bearer token and user name; the header file goes with both. */
	const char *bearer_token, *bearer_token_file;
	const char *username, *password, *password_file;
	const char *header_file;
	/* Of processes that are attached to: */
	const char *event; /* cpu, cycles, instructions, branches, ... [cpu] */
	unsigned rate;     /* samples a second of each thread that runs [100] */
	/* Called about ten times a second; true ends the collection with PF_EIO. May be NULL. */
	bool (*tick)(void *context, const struct pf_collect_progress *progress);
	/* A sentence worth telling that is no failure, valid during the call. May be NULL. */
	void (*warn)(void *context, const char *sentence);
	void *context;
};
#define PF_COLLECT_OPTIONS_INIT {.struct_size = sizeof(struct pf_collect_options)}

struct pf_collected;

/*
 * Collects from a process that serves nothing ("pid:1234", "pid:-1" for the whole
 * machine, "name:NAME", "cgroup:PATH"): CPU profiles only, by perf_event_open(2).
 * Or from a base address ("http://host:port": /debug/pprof/… is appended),
 * an address that ends in "/", or the full address of one profile (used as it is).
 * *collected is a new handle, or NULL on failure: PF_EUSAGE options that don't
 * fit; PF_EINPUT an answer that is no profile; PF_EIO no answer, an HTTP error,
 * interrupted; PF_ENOMEM. The sentence quotes what the server said.
 */
int pf_collect(struct pf_collected **collected, const char *url,
    const struct pf_collect_options *options, struct pf_error *err);
void pf_collected_free(struct pf_collected *collected);

/* The gzipped profile: the server's own bytes, or what it sent plain, compressed. Owned by the handle. */
const void *pf_collected_bytes(const struct pf_collected *collected, size_t *size);
/* The same, decoded. Owned by the handle. */
const struct pf_profile *pf_collected_profile(const struct pf_collected *collected);
/* Where it came from, without secrets; after redirects, the last address. */
const char *pf_collected_source(const struct pf_collected *collected);
const char *pf_collected_type(const struct pf_collected *collected);
/* The window that was asked for; 0: a snapshot. */
uint32_t pf_collected_seconds(const struct pf_collected *collected);
unsigned pf_collected_attempts(const struct pf_collected *collected);
unsigned pf_collected_redirects(const struct pf_collected *collected);
/* SHA-256 of the bytes, in hexadecimal. */
const char *pf_collected_sha256(const struct pf_collected *collected);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
