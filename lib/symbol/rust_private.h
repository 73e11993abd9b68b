/*
 * rust_private.h: a mangled Rust name as it is read, shared by rust_names.c (paths and constants), rust_types.c and
 * rust_identifiers.c.
 *
 * A name is read once, from left to right, and written meanwhile. A reference back ("B…_") is followed only where
 * something is written, and what it costs to read that again is paid from an allowance: a name that refers to itself
 * over and over ends with a failure. Generic arguments are read in silence.
 *
 * Whoever fails sets `failed` and moves to the end, where nothing is left to read: all loops end then.
 */
#ifndef PF_SYMBOL_RUST_PRIVATE_H
#define PF_SYMBOL_RUST_PRIVATE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "symbol/name_text.h"

enum { MOST_DEPTH = 300 };

struct pf_rust_reader {
	const char *begin, *at, *end; /* after "_R", up to what compilers append */
	struct pf_name_text *text;
	size_t allowance;   /* of paths, types and constants that may still be read */
	uint64_t lifetimes; /* bound by the "for<…>" around */
	int depth;
	bool silent, failed;
};

struct pf_rust_identifier {
	const char *text;
	size_t size;
	bool encoded; /* punycode */
};

static inline void
fail(struct pf_rust_reader *p)
{
	p->failed = true;
	p->at = p->end;
}

static inline void
put(struct pf_rust_reader *p, const char *text, size_t size)
{
	if (!p->failed && !p->silent && !pf_name_put(p->text, text, size))
		fail(p);
}

static inline void
put_text(struct pf_rust_reader *p, const char *text)
{
	put(p, text, strlen(text));
}

static inline void
put_number(struct pf_rust_reader *p, uint64_t number)
{
	char text[24];

	put(p, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, number));
}

static inline char
next(struct pf_rust_reader *p)
{
	if (p->at == p->end) {
		fail(p);
		return '\0';
	}
	return *p->at++;
}

static inline bool
take(struct pf_rust_reader *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* Whether a list that an E ends goes on. */
static inline bool
has_more(struct pf_rust_reader *p)
{
	if (p->at == p->end)
		fail(p);
	return !p->failed && !take(p, 'E');
}

/* Begins a path, type or constant, which ends with one less of depth. */
static inline bool
enter(struct pf_rust_reader *p)
{
	if (p->depth == MOST_DEPTH || !p->allowance)
		fail(p);
	if (p->failed)
		return false;
	p->depth++;
	p->allowance--;
	return true;
}

static inline int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'Z' ? c - 'A' + 36 : -1;
}

/* "_", "0_", "Z_": 0, 1, 62. */
static inline uint64_t
read_base62(struct pf_rust_reader *p)
{
	uint64_t value = 0;

	if (take(p, '_'))
		return 0;
	for (char c = next(p); c != '_'; c = next(p)) {
		int digit = digit_of(c);
		if (digit < 0 || value > (UINT64_MAX - 62) / 62) {
			fail(p);
			return 0;
		}
		value = value * 62 + (uint64_t)digit;
	}
	return value + 1;
}

/* A number after its letter; 0 where there is none. */
static inline uint64_t
read_tagged(struct pf_rust_reader *p, char tag)
{
	return take(p, tag) ? read_base62(p) + 1 : 0;
}

/* Reads what is not written. */
static inline void
skip(struct pf_rust_reader *p, void (*read)(struct pf_rust_reader *))
{
	bool silent = p->silent;

	p->silent = true;
	read(p);
	p->silent = silent;
}

/* What follows B: something that was read before, anew. */
static inline void
follow(struct pf_rust_reader *p, void (*read)(struct pf_rust_reader *))
{
	const char *before = p->at - 1, *after;
	uint64_t target = read_base62(p);

	if (target >= (uint64_t)(before - p->begin))
		fail(p);
	if (p->failed || p->silent)
		return;
	after = p->at;
	p->at = p->begin + target;
	read(p);
	if (!p->failed)
		p->at = after;
}

/* <identifier>: a size and as many characters, of the mangled name still. */
struct pf_rust_identifier pf_rust_identifier(struct pf_rust_reader *p);
/* Writes it, decoded: fails for what is no word. */
void pf_rust_put_identifier(struct pf_rust_reader *p, struct pf_rust_identifier id);
/* <path>, <type>, <const> */
void pf_rust_path(struct pf_rust_reader *p);
void pf_rust_type(struct pf_rust_reader *p);
void pf_rust_const(struct pf_rust_reader *p);

#endif
