/* collected.c: see collected.h. */
#include "collected.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "core/error.h"
#include "core/gzip.h"
#include "net/text.h"
#include "profile/formats.h"

enum { GZIP_LEVEL = 6 };

/* The reader quotes what it met; here that is a server's, and goes to a terminal. */
static void
clean_message(struct pf_error *err)
{
	char shown[sizeof err->message] = "";

	if (err)
		memcpy(err->message,
		    pf_text_excerpt(shown, sizeof shown, err->message, strlen(err->message)),
		    sizeof shown);
}

static int
take_bytes(struct pf_collected *c, struct pf_buffer *body, struct pf_error *err)
{
	pf_buffer_init(&c->bytes, PF_BUFFER_NO_MAXIMUM);
	if (!pf_gzip_is(body->bytes, body->size))
		return pf_gzip_deflate(&c->bytes, body->bytes, body->size, GZIP_LEVEL, err);
	c->bytes = *body;
	pf_buffer_init(body, 0);
	return 0;
}

int
pf_collected_take(struct pf_collected *c, struct pf_http_result *result,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_buffer *body = &result->answer.body;
	const char *shown = pf_url_display(result->url);
	int rc = pf_profile_parse(&c->profile, shown, body->bytes, body->size, options, err);

	if (rc) {
		/* no profile of any format: what it is instead says more than where reading stopped */
		if (rc == PF_EINPUT && (pf_format_find(body->bytes, body->size) ||
					   pf_answer_check_body(result, err) == 0))
			clean_message(err);
		return rc;
	}
	rc = take_bytes(c, body, err);
	if (rc)
		return rc;
	c->source = malloc(strlen(shown) + 1);
	if (!c->source)
		return pf_error_nomem(err);
	memcpy(c->source, shown, strlen(shown) + 1);
	c->redirects = result->redirects;
	return 0;
}

void
pf_collected_clear(struct pf_collected *c)
{
	pf_profile_free(c->profile);
	pf_buffer_release(&c->bytes);
	free(c->source);
	*c = (struct pf_collected){0};
}

void
pf_collected_free(struct pf_collected *c)
{
	if (c)
		pf_collected_clear(c);
	free(c);
}

const void *
pf_collected_bytes(const struct pf_collected *c, size_t *size)
{
	*size = c->bytes.size;
	return c->bytes.bytes;
}

const struct pf_profile *
pf_collected_profile(const struct pf_collected *c)
{
	return c->profile;
}

const char *
pf_collected_source(const struct pf_collected *c)
{
	return c->source;
}

const char *
pf_collected_type(const struct pf_collected *c)
{
	return c->type;
}

uint32_t
pf_collected_seconds(const struct pf_collected *c)
{
	return c->seconds;
}

unsigned
pf_collected_attempts(const struct pf_collected *c)
{
	return c->attempts;
}

unsigned
pf_collected_redirects(const struct pf_collected *c)
{
	return c->redirects;
}

const char *
pf_collected_sha256(const struct pf_collected *c)
{
	return c->sha256;
}
