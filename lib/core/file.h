/*
 * file.h: whole files in, whole files out.
 *
 * An output is written to a temporary file beside its place and renamed at the
 * end: it exists whole or not at all. "-" is standard input or output.
 */
#ifndef PF_CORE_FILE_H
#define PF_CORE_FILE_H

#include "core/buffer.h"

/* Appends the content of a file ("-": standard input) to `out`, up to out->maximum: more is PF_EINPUT. */
int pf_file_read(const char *path, struct pf_buffer *out, struct pf_error *err);

/*
 * Writes bytes to a file, whole or not at all ("-": standard output). The file's
 * mode is 0666 less the umask, or the replaced file's own. A target that is no
 * regular file (a pipe, /dev/stdout) is written in place. PF_EIO with the reason.
 */
int pf_file_write(const char *path, const void *bytes, size_t size, struct pf_error *err);

/*
 * The same in two steps, for who writes several files that belong together: all that may well fail is done by the first,
 * which leaves what is there alone. What is prepared is put in place, or dropped; both release it. For regular files.
 */
struct pf_file_pending {
	char *path, *temporary; /* owned */
};
int pf_file_prepare(struct pf_file_pending *pending, const char *path, const void *bytes,
    size_t size, struct pf_error *err);
int pf_file_place(struct pf_file_pending *pending, struct pf_error *err);
void pf_file_drop(struct pf_file_pending *pending);

/*
 * Whether pf_file_write() could write there now, for those who work long before they do: 0, or
 * PF_EIO with its reason. Nothing is left behind, and what is there stays as it is.
 */
int pf_file_check_output(const char *path, struct pf_error *err);

/* The last component of a path. */
const char *pf_base_name(const char *path);

/* Whether a file with this content is a program or library (ELF). */
bool pf_is_program(const void *bytes, size_t size);

/* The paths that stand behind one PROFILE argument. */
struct pf_paths {
	char **items; /* owned, each */
	size_t count, capacity;
};

/*
 * Appends what an argument names: a file itself ("-" too), the regular files of
 * a folder (by name, not hidden, not deeper), or the lines of "@LIST" (relative
 * to the current folder; empty lines and #comments skipped). PF_EIO, PF_EINPUT.
 */
int pf_paths_add(struct pf_paths *paths, const char *argument, struct pf_error *err);
void pf_paths_release(struct pf_paths *paths);

#endif
