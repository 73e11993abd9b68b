/* exposition.c: reading a scrape line by line; see exposition.h. */
#include "runtime/exposition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"

enum { MOST_LABELS = 256, SNIFFED = 1 << 12 };

struct reader {
	struct pf_exposition *e;
	struct pf_lines lines;
	struct pf_buffer unescaped; /* of the label value at hand */
};

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

/* A metric or label name; empty where none starts. Dots are OpenTelemetry's habit. */
static struct pf_text
take_name(struct pf_text *t)
{
	struct pf_text name = pf_text_of(t->at, 0);

	if (t->at < t->end && is_name_start(*t->at)) {
		while (t->at < t->end &&
		       (is_name_start(*t->at) || (*t->at >= '0' && *t->at <= '9') || *t->at == '.'))
			t->at++;
	}
	name.end = t->at;
	return name;
}

/* A quoted string with \\, \" and \n, into r->unescaped; t stands on its quote. */
static struct pf_text
take_quoted(struct reader *r, struct pf_text *t)
{
	r->unescaped.size = 0; /* a failure stays */
	if (!pf_text_skip(t, "\"")) {
		pf_text_fail(t, "a quoted value was expected");
		return pf_text_of(t->end, 0);
	}
	while (t->at < t->end && *t->at != '"') {
		char c = *t->at++;
		if (c == '\\') {
			if (t->at == t->end)
				break;
			c = *t->at++;
			c = c == 'n' ? '\n' : c;
		}
		pf_buffer_byte(&r->unescaped, (uint8_t)c);
	}
	if (!pf_text_skip(t, "\""))
		pf_text_fail(t, "a quoted value does not end");
	return pf_text_of((const char *)r->unescaped.bytes, r->unescaped.size);
}

static int
intern(struct reader *r, struct pf_text t, uint32_t *id, struct pf_error *err)
{
	return pf_strings_add(&r->e->strings, t.at, pf_text_left(&t), id, err);
}

static int
add_label(struct reader *r, uint32_t name, uint32_t value, struct pf_error *err)
{
	struct pf_exposition *e = r->e;
	int rc = PF_GROW(e->labels, e->label_capacity, e->label_count + 1, err);

	if (!rc)
		e->labels[e->label_count++] = (struct pf_exposition_label){name, value};
	return rc;
}

/* "{a="x",b="y"}"; Prometheus 3 may put a quoted metric name first. */
static int
read_labels(struct reader *r, struct pf_text *t, struct pf_exposition_sample *s, bool keep,
    struct pf_error *err)
{
	int rc = 0;

	for (size_t n = 0; !rc; n++) {
		struct pf_text name;
		uint32_t id = 0, value = 0;
		bool quoted;

		pf_text_blanks(t);
		if (pf_text_skip(t, "}"))
			return 0;
		if (n && !pf_text_skip(t, ","))
			pf_text_fail(t, "a comma or } was expected");
		pf_text_blanks(t);
		if (n && pf_text_skip(t, "}"))
			return 0;
		if (n == MOST_LABELS)
			pf_text_fail(t, "a sample with more than 256 labels");
		quoted = pf_text_starts(t, "\"");
		name = quoted ? take_quoted(r, t) : take_name(t);
		if (!t->failure && !quoted && name.at == name.end)
			pf_text_fail(t, "a label name was expected");
		if (t->failure)
			return pf_lines_check(&r->lines, t, err);
		rc = intern(r, name, &id, err);
		pf_text_blanks(t);
		if (!rc && quoted && !s->name && !pf_text_starts(t, "=")) {
			s->name = id;
			continue;
		}
		pf_text_expect(t, "=");
		pf_text_blanks(t);
		name = take_quoted(r, t);
		if (!rc && t->failure)
			rc = pf_lines_check(&r->lines, t, err);
		if (!rc)
			rc = intern(r, name, &value, err);
		if (!rc && keep)
			rc = add_label(r, id, value, err);
	}
	return rc;
}

/* Milliseconds in Prometheus' format; OpenMetrics gives seconds, with a fraction. */
static void
read_time(struct pf_text *t, struct pf_exposition_sample *s)
{
	struct pf_text word;
	double time;

	pf_text_blanks(t);
	if (t->at == t->end || *t->at == '#')
		return;
	word = pf_text_word(t);
	time = pf_text_double(&word);
	if (word.failure || pf_text_left(&word) || !(fabs(time) < 9e15)) {
		pf_text_fail(t, "the time is no number");
		return;
	}
	s->has_time = true;
	s->time_millis = (int64_t)(fabs(time) < 1e11 ? time * 1000 : time);
}

/* "name{labels} value [time] [# exemplar]" */
static int
read_sample(struct reader *r, struct pf_error *err)
{
	struct pf_exposition *e = r->e;
	struct pf_exposition_sample s = {.first_label = (uint32_t)e->label_count};
	struct pf_text t = pf_text_trimmed(r->lines.line), name = take_name(&t);
	int rc = intern(r, name, &s.name, err);

	if (!rc && !s.name && !pf_text_starts(&t, "{"))
		return pf_lines_error(&r->lines, "a metric name was expected", err);
	pf_text_blanks(&t);
	if (!rc && pf_text_skip(&t, "{"))
		rc = read_labels(r, &t, &s, true, err);
	if (rc)
		return rc;
	if (!s.name)
		return pf_lines_error(&r->lines, "a metric name was expected", err);
	s.label_count = (uint32_t)(e->label_count - s.first_label);
	s.value = pf_text_double(&t);
	read_time(&t, &s);
	rc = pf_lines_check(&r->lines, &t, err);
	if (!rc && e->label_count > UINT32_MAX - MOST_LABELS)
		rc = pf_lines_error(&r->lines, "too many labels", err);
	if (!rc)
		rc = PF_GROW(e->samples, e->sample_capacity, e->sample_count + 1, err);
	if (!rc)
		e->samples[e->sample_count++] = s;
	return rc;
}

/* Chains the samples of each name, in order. */
static int
chain_samples(struct pf_exposition *e, struct pf_error *err)
{
	int rc = PF_CALLOC(e->first_of, e->strings.count, err);

	if (rc)
		return rc;
	memset(e->first_of, 0xff, e->strings.count * sizeof *e->first_of);
	for (size_t i = e->sample_count; i-- > 0;) {
		struct pf_exposition_sample *s = &e->samples[i];
		s->next = e->first_of[s->name];
		e->first_of[s->name] = (uint32_t)i;
	}
	return 0;
}

static enum pf_exposition_kind
kind_of(const struct pf_text *word)
{
	static const char *const names[] = {
	    [PF_EXPOSITION_COUNTER] = "counter",
	    [PF_EXPOSITION_GAUGE] = "gauge",
	    [PF_EXPOSITION_HISTOGRAM] = "histogram",
	    [PF_EXPOSITION_SUMMARY] = "summary",
	};

	for (int i = PF_EXPOSITION_COUNTER; i <= PF_EXPOSITION_SUMMARY; i++) {
		if (pf_text_equals(word, names[i]))
			return (enum pf_exposition_kind)i;
	}
	return PF_EXPOSITION_UNTYPED;
}

static uint32_t
find_family(const struct pf_exposition *e, uint32_t name)
{
	uint32_t hash = pf_hash_u64(name);
	size_t at;

	for (uint32_t i = pf_index_first(&e->family_by_name, hash, &at); i != PF_NONE;
	    i = pf_index_next(&e->family_by_name, hash, &at)) {
		if (e->families[i].name == name)
			return i;
	}
	return PF_NONE;
}

/* "# TYPE name kind"; any other comment says nothing that is kept. */
static int
read_comment(struct reader *r, struct pf_error *err)
{
	struct pf_exposition *e = r->e;
	struct pf_text t = pf_text_trimmed(r->lines.line), name, kind;
	struct pf_exposition_family f = {0};
	int rc;

	if (!pf_text_skip(&t, "# TYPE "))
		return 0;
	pf_text_blanks(&t);
	name = pf_text_starts(&t, "\"") ? take_quoted(r, &t) : pf_text_word(&t);
	rc = pf_lines_check(&r->lines, &t, err);
	if (!rc)
		rc = intern(r, name, &f.name, err);
	if (rc || !f.name || find_family(e, f.name) != PF_NONE)
		return rc;
	kind = pf_text_word(&t);
	f.kind = kind_of(&kind);
	rc = PF_GROW(e->families, e->family_capacity, e->family_count + 1, err);
	if (!rc)
		rc = pf_index_add(
		    &e->family_by_name, pf_hash_u64(f.name), (uint32_t)e->family_count, err);
	if (!rc)
		e->families[e->family_count++] = f;
	return rc;
}

static int
read_all(struct reader *r, struct pf_error *err)
{
	int rc = 0;

	while (!rc && pf_lines_next(&r->lines)) {
		struct pf_text t = pf_text_trimmed(r->lines.line);
		if (pf_text_equals(&t, "# EOF"))
			break;
		if (pf_text_starts(&t, "#"))
			rc = read_comment(r, err);
		else if (pf_text_left(&t))
			rc = read_sample(r, err);
	}
	if (!rc && !r->e->sample_count)
		rc = pf_error_set(err, PF_EINPUT, "%s: no metrics in it", r->lines.section);
	if (!rc)
		rc = pf_buffer_check(&r->unescaped, err);
	return rc ? rc : chain_samples(r->e, err);
}

int
pf_exposition_parse(
    struct pf_exposition *e, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct reader r = {.e = e};
	int rc;

	*e = (struct pf_exposition){0};
	pf_buffer_init(&r.unescaped, size + 1);
	pf_lines_init(&r.lines, name, bytes, size);
	rc = pf_strings_init(&e->strings, err);
	if (!rc)
		rc = read_all(&r, err);
	pf_buffer_release(&r.unescaped);
	return rc;
}

void
pf_exposition_release(struct pf_exposition *e)
{
	pf_strings_release(&e->strings);
	pf_index_release(&e->family_by_name);
	free(e->first_of);
	free(e->samples);
	free(e->labels);
	free(e->families);
	*e = (struct pf_exposition){0};
}

bool
pf_exposition_recognise(const void *bytes, size_t size)
{
	struct pf_lines lines;
	struct pf_text t, name;

	pf_lines_init(&lines, "", bytes, size < SNIFFED ? size : SNIFFED);
	while (pf_lines_next(&lines)) {
		t = pf_text_trimmed(lines.line);
		if (!pf_text_left(&t))
			continue;
		if (pf_text_starts(&t, "#")) {
			if (pf_text_starts(&t, "# HELP ") || pf_text_starts(&t, "# TYPE "))
				return true;
			continue;
		}
		name = take_name(&t);
		if (!pf_text_left(&name))
			return false;
		if (pf_text_starts(&t, "{"))
			return memchr(t.at, '}', pf_text_left(&t)) != NULL;
		if (!pf_text_starts(&t, " "))
			return false;
		(void)pf_text_double(&t);
		pf_text_blanks(&t);
		return !t.failure && !pf_text_left(&t);
	}
	return false;
}

enum pf_exposition_kind
pf_exposition_kind(const struct pf_exposition *e, const char *family)
{
	uint32_t name = pf_strings_find(&e->strings, family, strlen(family));
	uint32_t i = name == PF_NONE ? PF_NONE : find_family(e, name);

	return i == PF_NONE ? PF_EXPOSITION_UNTYPED : e->families[i].kind;
}
