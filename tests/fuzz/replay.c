/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without libFuzzer: over the files of a corpus, each several times, or over
 * random scripts, which a seed repeats.
 *
 *     NAME_replay [FILE...]        none: those of tests/fuzz/corpus/NAME
 *     NAME_replay --random COUNT SEED
 *
 * FUZZ_NAME is NAME, of the target that this is compiled for.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE 4096
#define TIMES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
    static uint8_t data[MAX_SIZE];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    fprintf(stderr, "%s, %zu bytes\n", path, size);
    for (int i = 0; i < TIMES; i++)
        LLVMFuzzerTestOneInput(data, size);
}

static unsigned replay_folder(void)
{
    const char *source = getenv("srcdir");
    char folder[2000], path[3000];
    unsigned count = 0;
    const struct dirent *entry;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/" FUZZ_NAME,
             source != NULL ? source : ".");
    DIR *stream = opendir(folder);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            replay(path);
            count++;
        }
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

static void run_random(unsigned count, unsigned seed)
{
    uint8_t data[400];
    for (unsigned i = 0; i < count; i++) {
        srand(seed + i);
        size_t size = 4 + (size_t)rand() % (sizeof data - 4);
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)(rand() >> 8);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf(FUZZ_NAME "_replay: %u random scripts from seed %u on\n", count, seed);
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)argc - 1;
    if (argc == 4 && strcmp(argv[1], "--random") == 0) {
        run_random((unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
        return 0;
    }
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (count == 0)
        count = replay_folder();
    printf("%u scripts, each %d times\n", count, TIMES);
    return count > 0 ? 0 : 1;
}
