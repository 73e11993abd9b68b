/* answerer.c: see answerer.h. */
#include "tuner/answerer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 512, STATUS = 8192 };

/* "/debug/pprof/ of NAME, process 18298 (profuse-agent 0.1.0)"; 0: it is none of the agent's. */
static long
process_of(const void *index, size_t size)
{
	static const char before[] = ", process ", agent[] = " (profuse-agent ";
	char head[HEAD], *at, *end;
	long process;

	snprintf(
	    head, sizeof head, "%.*s", (int)(size < HEAD ? size : HEAD - 1), (const char *)index);
	head[strcspn(head, "\n")] = '\0';
	end = strstr(head, agent);
	if (!end)
		return 0;
	*end = '\0';
	/* The name may have any words in it. */
	at = strrchr(head, ',');
	if (!at || strncmp(at, before, sizeof before - 1) != 0)
		return 0;
	process = strtol(at + sizeof before - 1, &end, 10);
	return *end ? 0 : process;
}

/* Whether it has this number in one of its pid namespaces; true where that can't be read. */
static bool
has_number(pid_t process, long number)
{
	char path[64], line[STATUS];
	bool known = false, found = false;
	FILE *status;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)process);
	status = fopen(path, "re");
	while (status && !known && fgets(line, sizeof line, status)) {
		char *at = line + strlen("NSpid:"), *end;

		known = strncmp(line, "NSpid:", strlen("NSpid:")) == 0;
		for (long one; known && (one = strtol(at, &end, 10), end != at); at = end)
			found |= one == number;
	}
	if (status)
		fclose(status);
	return found || !known;
}

int
pf_check_answerer(const void *index, size_t size, pid_t process, struct pf_error *err)
{
	long answers = process_of(index, size);

	if (!answers || answers == process || has_number(process, answers))
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "process %ld answers at the address of --service, and not %ld: what they do would be "
	    "mixed; leave --pid out, or say --pid %ld",
	    answers, (long)process, answers);
}
