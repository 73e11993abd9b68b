/* page.c: see page.h. */
#include "report/page.h"

#include <string.h>

#include "core/base64.h"
#include "core/sha256.h"
#include "report/text.h"

static const struct pf_page_file *
find(struct pf_buffer *out, const char *name)
{
	const struct pf_page_file *f = pf_page_files;

	while (f->name && strcmp(f->name, name) != 0)
		f++;
	if (!f->name)
		out->failed = true;
	return f->name ? f : NULL;
}

/* Appends the files' hashes as sources of a policy's directive. */
static void
add_hashes(struct pf_buffer *out, const char *const *names)
{
	uint8_t digest[PF_SHA256_SIZE];

	for (size_t i = 0; i < PF_PAGE_PARTS && names[i]; i++) {
		const struct pf_page_file *f = find(out, names[i]);
		if (!f)
			return;
		pf_sha256(digest, f->bytes, *f->size);
		pf_buffer_string(out, " 'sha256-");
		pf_base64_encode(out, digest, sizeof digest);
		pf_buffer_byte(out, '\'');
	}
}

/* Each file as an element of its own, exactly as it is: its hash is of these bytes. */
static void
add_files(struct pf_buffer *out, const char *element, const char *const *names)
{
	for (size_t i = 0; i < PF_PAGE_PARTS && names[i]; i++) {
		const struct pf_page_file *f = find(out, names[i]);
		if (!f)
			return;
		pf_buffer_printf(out, "<%s>", element);
		pf_buffer_add(out, f->bytes, *f->size);
		pf_buffer_printf(out, "</%s>\n", element);
	}
}

void
pf_page_open(struct pf_buffer *out, const struct pf_page_parts *parts, const char *title)
{
	const struct pf_page_file *body = find(out, parts->body);

	pf_buffer_string(out,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src");
	add_hashes(out, parts->styles);
	pf_buffer_string(out, "; script-src");
	add_hashes(out, parts->scripts);
	pf_buffer_string(out, "\">\n<title>");
	pf_html_text(out, title);
	pf_buffer_printf(out, " · %s</title>\n", parts->subject);
	add_files(out, "style", parts->styles);
	pf_buffer_string(out, "</head>\n<body>\n");
	if (body)
		pf_buffer_add(out, body->bytes, *body->size);
	pf_buffer_printf(out, "<script type=\"application/json\" id=\"%s\">\n", parts->data_id);
}

void
pf_page_close(struct pf_buffer *out, const struct pf_page_parts *parts)
{
	pf_buffer_string(out, "</script>\n");
	add_files(out, "script", parts->scripts);
	pf_buffer_string(out, "</body>\n</html>\n");
}

void
pf_page_json(struct pf_buffer *out, const void *json, size_t size)
{
	const char *at = json, *end = at + size, *plain = at;

	for (; at < end; at++) {
		bool separator = end - at >= 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 ||
						      memcmp(at, "\xe2\x80\xa9", 3) == 0);
		if (!separator && *at != '<' && *at != '>' && *at != '&')
			continue;
		pf_buffer_add(out, plain, (size_t)(at - plain));
		pf_buffer_printf(out, "\\u%04x",
		    separator ? 0x2028u + ((unsigned char)at[2] - 0xa8u) : (unsigned char)*at);
		at += separator ? 2 : 0;
		plain = at + 1;
	}
	pf_buffer_add(out, plain, (size_t)(end - plain));
}
