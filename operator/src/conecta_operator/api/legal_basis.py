"""Why personal data may be processed: the bases of the LGPD (Law 13,709/2018) that can apply to public bodies."""

from enum import StrEnum

__all__ = ["LegalBasis"]


class LegalBasis(StrEnum):
    """Article and item of the LGPD. Art. 7, X (protection of credit) is no basis of a public body's and is left out."""

    ART_7_I = "Art7I"
    """Art. 7, I: the person has consented."""
    ART_7_II = "Art7II"
    """Art. 7, II: a law or regulation obliges the receiver."""
    ART_7_III = "Art7III"
    """Art. 7, III: the public administration carries out public policies, laid down in laws, regulations or
    contracts."""
    ART_7_IV = "Art7IV"
    """Art. 7, IV: studies by a research body."""
    ART_7_V = "Art7V"
    """Art. 7, V: a contract with the person, or its preparation at the person's request."""
    ART_7_VI = "Art7VI"
    """Art. 7, VI: rights are exercised in judicial, administrative or arbitration proceedings."""
    ART_7_VII = "Art7VII"
    """Art. 7, VII: protection of the life or physical safety of the person or a third party."""
    ART_7_VIII = "Art7VIII"
    """Art. 7, VIII: protection of health, in procedures of health professionals, health services or authorities."""
    ART_7_IX = "Art7IX"
    """Art. 7, IX: legitimate interests, unless the person's fundamental rights prevail."""
    ART_11_I = "Art11I"
    """Art. 11, I: sensitive data, the person has consented specifically and prominently."""
    ART_11_II_A = "Art11IIa"
    """Art. 11, II, a: sensitive data, a law or regulation obliges the receiver."""
    ART_11_II_B = "Art11IIb"
    """Art. 11, II, b: sensitive data, the public administration carries out public policies laid down in laws or
    regulations."""
    ART_11_II_C = "Art11IIc"
    """Art. 11, II, c: sensitive data, studies by a research body."""
    ART_11_II_D = "Art11IId"
    """Art. 11, II, d: sensitive data, rights are exercised in contracts or proceedings."""
    ART_11_II_E = "Art11IIe"
    """Art. 11, II, e: sensitive data, protection of the life or physical safety of the person or a third party."""
    ART_11_II_F = "Art11IIf"
    """Art. 11, II, f: sensitive data, protection of health, in procedures of health professionals, health services or
    authorities."""
    ART_11_II_G = "Art11IIg"
    """Art. 11, II, g: sensitive data, prevention of fraud and security of the person, in identification and
    authentication in electronic systems."""
    ART_23 = "Art23"
    """Art. 23: a public body serves its public purpose, in the public interest, to carry out its legal duties."""
    ART_26 = "Art26"
    """Art. 26: public bodies share the use of data for specific purposes of public policies and legal duties."""
