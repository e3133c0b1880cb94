/* C_Initialize with a string where the standard has a reserved pointer. Prints the description of the first slot, or that
 * the argument is bad. Usage: parameters MODULE STRING. */
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

/* Addresses at which there is no string: nothing is mapped, or nothing may be read, or the string has no end. */
static void bad_addresses(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CK_C_INITIALIZE_ARGS arguments = { 0 };

    CHECK(two != MAP_FAILED);
    memset(two, 'x', 2 * page);
    CHECK(mprotect(two + page, page, PROT_NONE) == 0);
    char *const addresses[] = { (char *)1, (char *)page, (char *)~0UL, (char *)(~0UL / 2), two, two + page - 1 };
    for (size_t i = 0; i < COUNT(addresses); i++) {
        arguments.LibraryParameters = (CK_CHAR_PTR *)addresses[i];
        RETURNS(p11->C_Initialize(&arguments), CKR_ARGUMENTS_BAD);
    }
    /* A string may end where the memory does. */
    strcpy(two + page - 7, "device");
    arguments.LibraryParameters = (CK_CHAR_PTR *)(two + page - 7);
    RETURNS(p11->C_Initialize(&arguments), CKR_ARGUMENTS_BAD);
    munmap(two, 2 * page);
}

int main(int argc, char **argv)
{
    CK_C_INITIALIZE_ARGS arguments = { 0 };
    CK_SLOT_INFO slot;
    CK_RV rv;

    if (argc != 3)
        return 2;
    load(argv[1]);
    bad_addresses();
    arguments.LibraryParameters = (CK_CHAR_PTR *)argv[2];
    rv = p11->C_Initialize(&arguments);
    if (rv == CKR_ARGUMENTS_BAD) {
        printf("bad argument\n");
    } else {
        CHECK(rv == CKR_OK);
        OK(p11->C_GetSlotInfo(0, &slot));
        int length = sizeof slot.slotDescription;
        while (length > 0 && slot.slotDescription[length - 1] == ' ')
            length--;
        printf("%.*s\n", length, (char *)slot.slotDescription);
        OK(p11->C_Finalize(NULL));
    }
    unload();
    return failures != 0;
}
