/*
 * goroutines.c: see goroutines.h. One goroutine:
 *
 *	goroutine 24 [sync.Mutex.Lock, 2 minutes]:
 *	internal/sync.(*Mutex).lockSlow(0xa90a80)
 *		/usr/local/go/src/internal/sync/mutex.go:149 +0x15d
 *	sync.(*Mutex).Lock(...)
 *		/usr/local/go/src/sync/mutex.go:46
 *	created by main.main in goroutine 1
 *		/src/main.go:12 +0x2f
 */
#include "runtime/goroutines.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"

struct reader {
	struct pf_goroutines *g;
	struct pf_lines lines;
	bool created; /* behind "created by": no frame of the stack */
};

static int
intern(struct reader *r, struct pf_text t, uint32_t *id, struct pf_error *err)
{
	return pf_strings_add(&r->g->strings, t.at, pf_text_left(&t), id, err);
}

/* "goroutine 24 [state, 2 minutes, locked to thread]:" */
static bool
is_title(struct pf_text t, int64_t *number, struct pf_text *state, int64_t *minutes)
{
	const char *open, *close, *comma;
	struct pf_text inside;

	if (!pf_text_skip(&t, "goroutine "))
		return false;
	*number = pf_text_int64(&t);
	open = pf_text_find(&t, "[");
	close = pf_text_find(&t, "]:");
	if (t.failure || !open || !close || close < open)
		return false;
	inside = (struct pf_text){.at = open + 1, .end = close};
	*minutes = 0;
	comma = pf_text_find(&inside, ",");
	*state = (struct pf_text){.at = inside.at, .end = comma ? comma : inside.end};
	while (comma) {
		struct pf_text part = {.at = comma + 1, .end = inside.end};
		int64_t n = pf_text_int64(&part);
		pf_text_blanks(&part);
		if (!part.failure && pf_text_starts(&part, "minutes"))
			*minutes = n;
		inside.at = comma + 1;
		comma = pf_text_find(&inside, ",");
	}
	return true;
}

/* "0xc000, {0x1, 0x2?}, …": "0x…?" is a word that may be stale. */
static void
read_words(struct pf_text t, uint64_t *words)
{
	for (size_t i = 0; i < PF_GOROUTINE_WORDS; i++) {
		words[i] = 0;
		while (t.at < t.end && memchr("{}, ", *t.at, 4))
			t.at++;
		if (!pf_text_skip(&t, "0x"))
			continue;
		words[i] = pf_text_hex(&t);
		if (t.failure || (t.at < t.end && *t.at == '?')) {
			words[i] = 0;
			t.at += t.at < t.end;
		}
	}
}

/* "main.f(0xc000, {…})": the name, and the first words. */
static bool
read_call(struct pf_text t, struct pf_text *name, uint64_t *words)
{
	const char *open = NULL;

	if (!pf_text_left(&t) || *t.at == '\t' || t.end[-1] != ')')
		return false;
	/* Receivers have brackets too: the arguments begin at the last one that opens at depth 0. */
	for (const char *at = t.end; at > t.at && !open;) {
		at = memrchr(t.at, '(', (size_t)(at - t.at));
		if (!at)
			return false;
		if (at > t.at && at[-1] != '.')
			open = at;
	}
	if (!open)
		return false;
	*name = (struct pf_text){.at = t.at, .end = open};
	read_words((struct pf_text){.at = open + 1, .end = t.end}, words);
	return true;
}

/* "\t/path/file.go:149 +0x15d" */
static bool
read_place(struct pf_text t, struct pf_text *file, int64_t *line)
{
	const char *colon;

	if (!pf_text_skip(&t, "\t"))
		return false;
	for (struct pf_text rest = t; (colon = pf_text_find(&rest, ":")); rest.at = colon + 1) {
		struct pf_text number = {.at = colon + 1, .end = t.end};
		if (number.at == number.end || *number.at < '0' || *number.at > '9')
			continue;
		*line = pf_text_int64(&number);
		*file = (struct pf_text){.at = t.at, .end = colon};
		return !number.failure;
	}
	return false;
}

static int
begin(struct reader *r, int64_t number, struct pf_text state, int64_t minutes, struct pf_error *err)
{
	struct pf_goroutines *g = r->g;
	struct pf_goroutine new = {
	    .number = number, .minutes = minutes, .first_frame = g->frame_count};
	int rc = intern(r, state, &new.state, err);

	if (!rc)
		rc = PF_GROW(g->items, g->capacity, g->count + 1, err);
	if (!rc)
		g->items[g->count++] = new;
	r->created = false;
	return rc;
}

static int
add_frame(struct reader *r, struct pf_text name, const uint64_t *words, struct pf_error *err)
{
	struct pf_goroutines *g = r->g;
	struct pf_goroutine_frame frame = {0};
	int rc = intern(r, name, &frame.function, err);

	memcpy(frame.words, words, sizeof frame.words);
	if (!rc)
		rc = PF_GROW(g->frames, g->frame_capacity, g->frame_count + 1, err);
	if (!rc) {
		g->frames[g->frame_count++] = frame;
		g->items[g->count - 1].frame_count++;
	}
	return rc;
}

static int
read_line(struct reader *r, struct pf_error *err)
{
	struct pf_goroutines *g = r->g;
	struct pf_text state, name, line = r->lines.line;
	int64_t number, minutes;
	uint64_t words[PF_GOROUTINE_WORDS];

	if (is_title(line, &number, &state, &minutes))
		return begin(r, number, state, minutes, err);
	if (!g->count)
		return 0; /* what stands before the first: a panic's message */
	if (pf_text_starts(&line, "created by "))
		r->created = true;
	else if (!r->created && read_call(line, &name, words))
		return add_frame(r, name, words, err);
	else if (!r->created && g->items[g->count - 1].frame_count &&
		 read_place(line, &name, &number)) {
		struct pf_goroutine_frame *frame = &g->frames[g->frame_count - 1];
		frame->line = number;
		return intern(r, name, &frame->file, err);
	}
	return 0;
}

bool
pf_goroutines_is_dump(const void *bytes, size_t size)
{
	struct pf_lines lines;
	struct pf_text state;
	int64_t number, minutes;

	pf_lines_init(&lines, "", bytes, size);
	return pf_lines_next_content(&lines) && is_title(lines.line, &number, &state, &minutes);
}

int
pf_goroutines_parse(
    struct pf_goroutines *g, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct reader r = {.g = g};
	int rc;

	*g = (struct pf_goroutines){.cut = size && ((const char *)bytes)[size - 1] != '\n'};
	pf_lines_init(&r.lines, name, bytes, size);
	rc = pf_strings_init(&g->strings, err);
	while (!rc && pf_lines_next(&r.lines))
		rc = read_line(&r, err);
	if (!rc && !g->count)
		rc = pf_error_set(err, PF_EINPUT, "%s: no goroutine in it", name);
	return rc;
}

void
pf_goroutines_release(struct pf_goroutines *g)
{
	pf_strings_release(&g->strings);
	free(g->items);
	free(g->frames);
	*g = (struct pf_goroutines){0};
}
