/*
 * read_threadz.c: the stacks of all threads of a C++ server.
 *
 *	--- threadz 1 ---
 *
 *	--- Thread 7f794ab90940 (name: main/14748) stack: ---
 *	  PC:  0x00bc8f1c: helper(arg *)
 *	  0x0040be31: main
 *	--- Thread 7f794964e700 (name: thread1/14751) stack: ---
 *	  [same as previous thread]
 *
 * One sample a distinct neighbour: a thread without a stack of its own counts
 * with the one before. The first address is where the thread stands, the others
 * are return addresses, those of its creator included.
 */
#include "profile/formats.h"

#include <ctype.h>

#include "core/error.h"
#include "profile/builder.h"
#include "profile/maps.h"
#include "profile/noise.h"

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	uint64_t leaf; /* of the stack being read */
	bool same;     /* it says that it is the previous one */
};

/* "--- threadz 1 ---" */
static bool
is_title(struct pf_text t)
{
	t = pf_text_trimmed(t);
	if (!pf_text_skip(&t, "--- threadz "))
		return false;
	pf_text_int64(&t);
	pf_text_expect(&t, "---");
	return !t.failure;
}

/* "--- Thread HEX (name: NAME/ID) stack: ---" */
static bool
is_thread(struct pf_text t)
{
	t = pf_text_trimmed(t);
	if (!pf_text_skip(&t, "--- Thread "))
		return false;
	pf_text_hex(&t);
	pf_text_expect(&t, "(name: ");
	return !t.failure && pf_text_find(&t, ") stack: ---");
}

bool
pf_threadz_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "", bytes, size);
	return pf_lines_next_content(&lines) && (is_title(lines.line) || is_thread(lines.line));
}

static bool
is_hex_digit(const struct pf_text *t)
{
	struct pf_text rest = *t;

	return rest.at < rest.end && !isspace((unsigned char)*rest.at) &&
	       (pf_text_hex(&rest), rest.at > t->at);
}

static bool
is_section(const struct pf_text *line)
{
	struct pf_text t = *line;

	pf_text_blanks(&t);
	return pf_text_starts(&t, "---");
}

/* The addresses of a line: all up to one that a name follows ("0x0040be31: main"). */
static int
add_addresses(struct reader *r, struct pf_error *err)
{
	struct pf_text t = r->lines.line;
	bool named = false;
	int rc = 0;

	while (!rc && !named && (t.at = pf_text_find(&t, "0x")) != NULL) {
		uint64_t address;
		t.at += 2;
		if (!is_hex_digit(&t))
			continue;
		address = pf_text_hex(&t);
		named = pf_text_skip(&t, ":");
		if (t.failure)
			return pf_lines_error(&r->lines, t.failure, err);
		if (r->b->pending == 0)
			r->leaf = address;
		else
			address--;
		rc = pf_builder_address(r->b, address, err);
	}
	return rc;
}

static int
end_thread(struct reader *r, struct pf_error *err)
{
	if (r->same || r->b->pending == 0) {
		pf_builder_drop_frames(r->b);
		pf_builder_count_last(r->b);
		return 0;
	}
	pf_builder_drop_second(r->b, r->leaf - 1);
	return pf_builder_sample(r->b, &(int64_t){1}, err);
}

/* A thread, from its title to the next section or the end; *more tells which. */
static int
read_thread(struct reader *r, bool *more, struct pf_error *err)
{
	int rc = 0;

	if (!is_thread(r->lines.line))
		return pf_lines_error(&r->lines, "the title of a thread's stack was expected", err);
	r->same = false;
	while (!rc && (*more = pf_lines_next(&r->lines)) && !is_section(&r->lines.line) &&
	       !pf_maps_begin(&r->lines.line)) {
		if (pf_text_find(&r->lines.line, "same as previous thread"))
			r->same = true;
		else
			rc = add_addresses(r, err);
	}
	return rc ? rc : end_thread(r, err);
}

static int
read_all(struct reader *r, struct pf_error *err)
{
	bool more = pf_lines_next_content(&r->lines);
	int rc = 0;

	if (is_title(r->lines.line)) {
		while ((more = pf_lines_next(&r->lines)) && !pf_maps_begin(&r->lines.line) &&
		       !pf_text_starts(&r->lines.line, "-"))
			;
	}
	while (!rc && more && !pf_maps_begin(&r->lines.line) &&
	       !pf_text_find(&r->lines.line, "---- no stack trace for"))
		rc = read_thread(r, &more, err);
	return rc ? rc : pf_maps_read(r->b, &r->lines, err);
}

int
pf_threadz_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	int rc;

	pf_lines_from(&r.lines, source);
	rc = pf_builder_type(r.b, "thread", "count", err);
	if (!rc)
		rc = pf_builder_period(r.b, "thread", "count", 1, err);
	if (!rc)
		rc = pf_noise_set(r.b, PF_NOISE_CPU, err);
	return rc ? rc : read_all(&r, err);
}
