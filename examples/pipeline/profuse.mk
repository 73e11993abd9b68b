# profuse.mk: profile-guided builds for Makefiles. Set PROFILE (and OUT) before including it, compile with
# $(PROFUSE_FLAGS), and let objects depend on $(PROFUSE_STAMP).
#
# Without the file PROFILE the flags are those of a build that is to be profiled. The stamp changes when the profile
# does, appears or goes, whatever its date: a profile that was just downloaded is often older than the objects.
OUT ?= out
PROFUSE_FLAGS = -gmlt -fdebug-info-for-profiling
ifneq ($(wildcard $(PROFILE)),)
PROFUSE_FLAGS += -fprofile-sample-use=$(PROFILE) -mllvm -sample-profile-use-profi -mllvm -enable-ext-tsp-block-placement
endif
PROFUSE_STAMP = $(OUT)/profile.stamp
PROFUSE_SAYS = { echo '$(PROFUSE_FLAGS)'; cksum $(wildcard $(PROFILE)) /dev/null; }

$(PROFUSE_STAMP): PROFUSE_ALWAYS
	@mkdir -p $(@D)
	@$(PROFUSE_SAYS) | cmp -s - $@ || $(PROFUSE_SAYS) >$@
PROFUSE_ALWAYS:
.PHONY: PROFUSE_ALWAYS
