# To be sourced: sets jdk to the home of a JDK 25 or later, or prints what to install and returns 1.
# LUCIFER_LLAMA_JDK names one and nothing else is tried; otherwise JAVA_HOME, the PATH, the folders that installers use.

jdk_version() { # HOME: prints its feature version; reads a file, starts nothing
    local line
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    while IFS= read -r line; do
        case $line in
            JAVA_VERSION=*)
                line=${line#*\"}
                echo "${line%%[.\"]*}"
                return ;;
        esac
    done < "$1/release"
    return 1
}

find_jdk() {
    local candidate version java tried=()
    if [ -n "${LUCIFER_LLAMA_JDK:-}" ]; then
        set -- "$LUCIFER_LLAMA_JDK"
    else
        java=$(type -P java) && java=$(readlink -f "$java") || java=
        set -- ${JAVA_HOME:+"$JAVA_HOME"} ${java:+"${java%/bin/java}"} /usr/lib/jvm/* /opt/java/* /opt/*jdk* "$HOME"/.jdks/* \
            "$HOME"/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home
    fi
    for candidate; do
        case $candidate in *\**) continue ;; esac # a pattern that matched nothing
        version=$(jdk_version "$candidate") || { tried+=("$candidate: no JDK"); continue; }
        if [ "$version" -ge 25 ]; then
            jdk=$candidate
            return
        fi
        tried+=("$candidate: version $version")
    done
    {
        echo "lucifer-llama: needs a JDK 25 or later, found none."
        printf '  %s\n' "${tried[@]:-nothing that looks like a JDK}"
        echo "Debian 13: apt install openjdk-25-jdk-headless; Debian 12: temurin-25-jdk from Adoptium's package repository."
        echo "Elsewhere: unpack one and set JAVA_HOME."
    } >&2
    return 1
}
