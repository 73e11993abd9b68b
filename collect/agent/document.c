/* document.c: see document.h. */
#include "collect/agent/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_COMMENTS = 64 << 10, MOST_COMMENT = 512 };

void
pf_document_init(struct pf_document *d, const struct pf_stacks *stacks)
{
	*d = (struct pf_document){.stacks = stacks};
	pf_buffer_init(&d->comments, MOST_COMMENTS);
	pf_document_say(d, "agent: profuse-agent %s", PROFUSE_VERSION);
}

void
pf_document_release(struct pf_document *d)
{
	pf_buffer_release(&d->comments);
}

void
pf_document_say(struct pf_document *d, const char *format, ...)
{
	char text[MOST_COMMENT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	pf_buffer_add(&d->comments, text, strlen(text) + 1); /* whole or not at all */
}
