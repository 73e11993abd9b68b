/* demangle.c: the short name of each line of standard input, or the line as it is where it has none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"

int
main(void)
{
	char readable[PF_DEMANGLED_ROOM], *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		puts(pf_demangle(line, readable, sizeof readable) ? readable : line);
	}
	free(line);
	return 0;
}
