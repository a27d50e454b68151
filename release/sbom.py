"""The bill of a user's installation, as CycloneDX: the locked dependencies without development tools."""

from dev import ARTIFACTS, ROOT
from release.locked import export

if __name__ == "__main__":
    # With the hash of every file that each of them may come from.
    bill = export("cyclonedx1.5", ARTIFACTS / "sbom.cdx.json", "--no-dev", "--preview-features=sbom-export")
    print(bill.relative_to(ROOT))
