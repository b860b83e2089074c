#include "private_folder.h"

#include "wide.h"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

/* Protected from what the parent hands down; full access for the system, administrators and the
 * owner, here and below. */
static const wchar_t OURS_ALONE[] = L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";

/* Room for TOKEN_USER or TOKEN_OWNER with the identifier it points to. */
union token_facts {
    TOKEN_USER user;
    TOKEN_OWNER owner;
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static bool is_me(PSID owner)
{
    union token_facts facts;
    DWORD size;
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool is_mine = (GetTokenInformation(token, TokenUser, &facts, sizeof facts, &size) &&
                    EqualSid(owner, facts.user.User.Sid)) ||
                   /* What an administrator makes may belong to all of them. */
                   (GetTokenInformation(token, TokenOwner, &facts, sizeof facts, &size) &&
                    EqualSid(owner, facts.owner.Owner));
    CloseHandle(token);
    return is_mine;
}

static bool is_mine(const wchar_t *path)
{
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner;
    DWORD attributes = GetFileAttributesW(path);
    if (attributes == INVALID_FILE_ATTRIBUTES || attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return false;
    if (GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                              NULL, NULL, NULL, &descriptor) != ERROR_SUCCESS)
        return false;
    bool is_owner_me = is_me(owner);
    LocalFree(descriptor);
    return is_owner_me;
}

bool make_private_folder(const wchar_t *wide, const char *path, struct reason *why)
{
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            OURS_ALONE, SDDL_REVISION_1, &security.lpSecurityDescriptor, NULL)) {
        set_errno();
        return refuse_errno(why, path);
    }
    bool is_there = CreateDirectoryW(wide, &security) || GetLastError() == ERROR_ALREADY_EXISTS;
    if (!is_there)
        set_errno();
    LocalFree(security.lpSecurityDescriptor);
    if (!is_there)
        return refuse_errno(why, path);
    return is_mine(wide) || refuse(why, "%s belongs to another user", path);
}
