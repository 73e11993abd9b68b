/*
 * debuginfod.h: debug information from the servers in DEBUGINFOD_URLS.
 */
#ifndef PF_SYMBOL_DEBUGINFOD_H
#define PF_SYMBOL_DEBUGINFOD_H

struct pf_binary;
struct pf_error;

/*
 * Asks for the debug information of a build id (hex) and keeps what comes in
 * libdebuginfod's own cache. *path is the file there, to be freed; NULL if no
 * server is named in the environment, or none has it. Asking is noted
 * (pf_binary_note), and so is the outcome. `what` is whose it is, for the notes.
 */
int pf_debuginfod_find(const struct pf_binary *binary, const char *what, const char *build_id,
    char **path, struct pf_error *err);

#endif
