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

#include "core/error.h"
#include "profile/builder.h"
#include "profile/maps.h"

struct reader {
	struct pf_builder b;
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
is_section(const struct pf_text *line)
{
	struct pf_text t = *line;

	pf_text_blanks(&t);
	return pf_text_starts(&t, "---");
}

static size_t
frames_so_far(const struct reader *r)
{
	const struct pf_profile *p = r->b.p;

	return p->frame_count - p->frame_starts[p->sample_count];
}

/* The addresses of a line: all up to one that a name follows ("0x0040be31: main"). */
static int
add_addresses(struct reader *r, struct pf_error *err)
{
	struct pf_text t = r->lines.line, word;
	bool named = false;
	int rc = 0;

	while (!rc && !named && (word = pf_text_word(&t), word.at < word.end)) {
		uint64_t address;
		if (!pf_text_skip(&word, "0x"))
			continue;
		address = pf_text_hex(&word);
		named = pf_text_skip(&word, ":");
		if (word.failure)
			return pf_lines_error(&r->lines, word.failure, err);
		if (frames_so_far(r) == 0)
			r->leaf = address;
		else
			address--;
		rc = pf_builder_address(&r->b, address, err);
	}
	return rc;
}

static int
end_thread(struct reader *r, struct pf_error *err)
{
	struct pf_profile *p = r->b.p;

	if (r->same || frames_so_far(r) == 0) {
		p->frame_count = p->frame_starts[p->sample_count];
		if (p->sample_count)
			p->values[p->sample_count - 1]++;
		return 0;
	}
	pf_builder_drop_second(&r->b, r->leaf - 1);
	return pf_builder_sample(&r->b, &(int64_t){1}, err);
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
	return rc ? rc : pf_maps_read(&r->b, &r->lines, err);
}

int
pf_threadz_read(
    struct pf_profile *p, const char *name, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	struct reader r = {0};
	int rc;

	pf_lines_init(&r.lines, name, bytes, size);
	pf_builder_init(&r.b, p);
	rc = pf_builder_type(&r.b, "thread", "count", err);
	if (!rc)
		rc = pf_builder_period(&r.b, "thread", "count", 1, err);
	if (!rc)
		rc = read_all(&r, err);
	pf_builder_release(&r.b);
	return rc;
}
