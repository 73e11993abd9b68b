/* notes.h: what commands that look up symbols share. */
#ifndef CLI_NOTES_H
#define CLI_NOTES_H

#define CLI_DEBUG_FILE_HELP                                                             \
	"Debug information of a stripped binary: a file, or a folder that holds it or " \
	"is laid out as /usr/lib/debug; may be repeated. /usr/lib/debug, "              \
	".gnu_debuglink and the servers in DEBUGINFOD_URLS are asked without it"

/* Prints a sentence of the library's on standard error. */
void cli_note(void *context, const char *text);

#endif
