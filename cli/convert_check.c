/* convert_check.c: see convert_check.h. */
#include "convert_check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/subprocess.h"

enum { KEPT_OUTPUT = 1 << 16 };

static int
run_reader(const char *command, const char *path, struct pf_error *err)
{
	const char *argv[] = {command, "show", "--sample", path, NULL};
	struct pf_buffer said;
	int status, rc;

	pf_buffer_init(&said, KEPT_OUTPUT);
	rc = pf_subprocess_run(argv, &said, &status, err);
	if (!rc && status != 0) {
		size_t size = said.size;
		while (size && said.bytes[size - 1] == '\n')
			size--;
		size = size > 400 ? 400 : size;
		for (size_t i = 0; i < size; i++) {
			if (said.bytes[i] == '\n')
				said.bytes[i] = ' ';
		}
		rc = pf_error_set(err, PF_EINPUT, "%s refuses the profile (status %d): %.*s",
		    command, status, size ? (int)size : INT_MAX,
		    size ? (char *)said.bytes : "without a word");
	}
	pf_buffer_release(&said);
	return rc;
}

static int
run_some_reader(const char *command, const char *path, struct pf_error *err)
{
	const char *chosen = command ? command : getenv("PROFUSE_LLVM_PROFDATA");
	int rc;

	if (chosen && chosen[0])
		return run_reader(chosen, path, err);
	rc = run_reader("llvm-profdata-19", path, err);
	if (rc == PF_EIO)
		rc = run_reader("llvm-profdata", path, err);
	if (rc == PF_EIO)
		pf_error_prefix(
		    err, "--check needs LLVM's tools (package llvm-19), or --llvm-profdata");
	return rc;
}

int
cli_check_profile(const char *command, const void *bytes, size_t size, struct pf_error *err)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd, rc;

	if (snprintf(path, sizeof path, "%s/profuse-check-XXXXXX",
		folder && folder[0] ? folder : "/tmp") >= (int)sizeof path)
		return pf_error_set(err, PF_EIO, "TMPDIR is too long");
	fd = mkstemp(path);
	if (fd < 0)
		return pf_error_errno(err, "cannot create", path);
	close(fd);
	rc = pf_file_write(path, bytes, size, err);
	if (!rc)
		rc = run_some_reader(command, path, err);
	unlink(path);
	return rc;
}
