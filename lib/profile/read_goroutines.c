/*
 * read_goroutines.c: Go's goroutine dumps (debug=2).
 *
 *	goroutine 18 [chan receive, 12 minutes]:
 *	main.(*pool).work(0xc000012345, {0x1, 0x2})
 *		/src/pool.go:41 +0x1d
 *	created by main.main in goroutine 1
 *		/src/main.go:12 +0x2f
 *
 * One sample a goroutine, with labels state ("chan receive") and wait (minutes,
 * where given). Locations are (function, file, line), without addresses: what
 * a dump has of those belongs to no known binary. The creator is not part of
 * the stack and is left out. Lines of other forms are the runtime's remarks.
 */
#include "profile/formats.h"

#include <string.h>

#include "core/error.h"
#include "profile/builder.h"

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	struct pf_buffer state, name; /* of the goroutine, and of the call, being read */
};

struct goroutine {
	struct pf_text state;
	int64_t wait; /* minutes; 0: not said */
};

/* Keeps a text past its line. */
static int
keep(struct pf_buffer *b, struct pf_text t, struct pf_error *err)
{
	pf_buffer_clear(b);
	pf_buffer_add(b, t.at, pf_text_left(&t));
	return pf_buffer_check(b, err);
}

static struct pf_text
kept(const struct pf_buffer *b)
{
	return pf_text_of((const char *)b->bytes, b->size);
}

static const char *
find_last(const struct pf_text *t, char c)
{
	return t->at < t->end ? memrchr(t->at, c, pf_text_left(t)) : NULL;
}

/* ", 12 minutes" among what follows the state in the brackets. */
static int64_t
wait_of(struct pf_text t)
{
	while (t.at < t.end) {
		const char *comma = memchr(t.at, ',', pf_text_left(&t));
		struct pf_text part =
		    pf_text_of(t.at, comma ? (size_t)(comma - t.at) : pf_text_left(&t));
		int64_t minutes = pf_text_int64(&part);
		pf_text_expect(&part, "minutes");
		if (!part.failure && minutes > 0)
			return minutes;
		t.at = comma ? comma + 1 : t.end;
	}
	return 0;
}

/* "goroutine 18 [state, …]:", with other words of the runtime's before the bracket or after it. */
static bool
is_header(struct pf_text t, struct goroutine *g)
{
	const char *open, *close, *comma;

	t = pf_text_trimmed(t);
	if (!pf_text_skip(&t, "goroutine ") || pf_text_int64(&t) <= 0 || t.failure)
		return false;
	open = pf_text_find(&t, " [");
	if (!open || t.end[-1] != ':')
		return false;
	t.at = open + 2;
	close = memchr(t.at, ']', pf_text_left(&t));
	if (!close)
		return false;
	t.end = close;
	comma = memchr(t.at, ',', pf_text_left(&t));
	g->state = pf_text_of(t.at, comma ? (size_t)(comma - t.at) : pf_text_left(&t));
	g->wait = 0;
	if (comma)
		g->wait = wait_of(pf_text_of(comma + 1, (size_t)(t.end - comma - 1)));
	return true;
}

bool
pf_goroutines_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;
	struct goroutine g;

	pf_lines_init(&lines, "", bytes, size);
	return pf_lines_next_content(&lines) && is_header(lines.line, &g);
}

/* "\t/src/pool.go:41 +0x1d": the file is all before the last colon that a number follows. */
static bool
is_place(const struct pf_text *line, struct pf_text *file, int64_t *number)
{
	struct pf_text t = *line;

	if (!pf_text_skip(&t, "\t"))
		return false;
	*file = t;
	for (;;) {
		const char *colon = find_last(file, ':');
		struct pf_text after;
		if (!colon)
			return false;
		after = pf_text_of(colon + 1, (size_t)(t.end - colon - 1));
		file->end = colon;
		if (after.at == after.end || *after.at < '0' || *after.at > '9')
			continue;
		*number = pf_text_int64(&after);
		if (!after.failure && (after.at == after.end || *after.at == ' '))
			return true;
	}
}

/* "main.(*pool).work(0xc000012345, {…})": the name without the arguments. */
static bool
is_call(const struct pf_text *line, struct pf_text *name)
{
	const char *open = find_last(line, '(');

	if (!open || open == line->at || *line->at == '\t' || *line->at == ' ' ||
	    line->end[-1] != ')')
		return false;
	*name = pf_text_of(line->at, (size_t)(open - line->at));
	return true;
}

static int
end_goroutine(struct reader *r, int64_t wait, struct pf_error *err)
{
	int rc = pf_builder_text(r->b, "state", kept(&r->state), err);

	if (!rc && wait)
		rc = pf_builder_number(r->b, "wait", wait, "minutes", err);
	return rc ? rc : pf_builder_sample(r->b, &(int64_t){1}, err);
}

/* The frames of a goroutine, up to the next one or the end; *more tells which. */
static int
read_goroutine(struct reader *r, bool *more, struct pf_error *err)
{
	struct goroutine g, next;
	struct pf_text name, file;
	bool have_name = false;
	int64_t number;
	int rc = 0;

	if (!is_header(r->lines.line, &g))
		return pf_lines_error(&r->lines, "a goroutine's title was expected", err);
	rc = keep(&r->state, g.state, err);
	while (!rc && (*more = pf_lines_next(&r->lines)) && !is_header(r->lines.line, &next)) {
		if (have_name && is_place(&r->lines.line, &file, &number))
			rc = pf_builder_function(r->b, kept(&r->name), file, number, err);
		else if (have_name)
			return pf_lines_error(
			    &r->lines, "the file and line of a call were expected", err);
		have_name = !have_name && is_call(&r->lines.line, &name);
		if (!rc && have_name)
			rc = keep(&r->name, name, err);
	}
	if (!rc && have_name)
		return pf_lines_error(
		    &r->lines, "the file and line of the last call are missing", err);
	return rc ? rc : end_goroutine(r, g.wait, err);
}

int
pf_goroutines_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	bool more;
	int rc;

	pf_lines_from(&r.lines, source);
	pf_buffer_init(&r.state, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&r.name, PF_BUFFER_NO_MAXIMUM);
	more = pf_lines_next_content(&r.lines);
	rc = pf_builder_type(r.b, "goroutine", "count", err);
	if (!rc)
		rc = pf_builder_period(r.b, "goroutine", "count", 1, err);
	while (!rc && more)
		rc = read_goroutine(&r, &more, err);
	pf_buffer_release(&r.state);
	pf_buffer_release(&r.name);
	return rc;
}
