/* notes.c: see notes.h. */
#include "notes.h"

#include <stdio.h>

void
cli_note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "profuse: %s\n", text);
}
