"""A clinic's export, as its information system writes it: semicolons, decimal commas, accents, no English.

One centre; Gwenaëlle Hervé had a lesion in each breast, Noémie Açard two in one, and Sylvie Mégevand came twice.
The women do not exist. Nothing here is a defect. Every letter is in Windows-1252.
"""

from __future__ import annotations

HEADER = (
    "IPP;Nom;Date IRM;Côté;Âge (ans);IMC (kg/m²);Grand axe (mm);Volume (ml);Rehaussement annulaire;Type;HER2 IHC;"
    "Ratio HER2/CEP17;Copies HER2"
)

ROWS = """
001001;Hélène Lefèvre;11/01/2019;G;58;28,4;41,9;1,37;non;masse;3+;;
001002;Chloé Béranger;07/02/2019;G;69;22,8;29,6;7,13;oui;masse;3+;;
001003;Zoë Müller;10/03/2019;D;49;24,3;10,7;4,26;oui;non-masse;2+;2,6;10,3
001004;Aïcha Benoît;30/03/2019;G;50;20,1;29,0;3,16;oui;masse;3+;;
001005;Noémie Açard;03/05/2019;D;49;21,4;29,9;1,69;non;masse;0;;
001005;Noémie Açard;03/05/2019;G;49;21,4;11,2;0,48;non;masse;0;;
001006;Cécile Guérin;28/05/2019;G;52;20,7;27,5;6,21;oui;masse;3+;;
001007;Inès Castañeda;25/06/2019;G;40;32,8;29,2;1,66;oui;non-masse;3+;;
001008;Françoise Noël;24/07/2019;G;44;17,4;35,2;5,02;non;masse;3+;;
001009;Maëlle Côté;18/08/2019;D;47;27,1;32,8;5,66;oui;non-masse;3+;;
001010;Léa Fournier;10/09/2019;D;60;27,4;13,7;3,14;non;non-masse;1+;;
001011;Agnès Prévost;10/10/2019;G;55;26,1;35,7;1,33;oui;masse;3+;;
001012;Édith Gaël;08/11/2019;G;61;28,7;36,2;1,39;oui;non-masse;3+;;
001013;Élodie Marçais;03/12/2019;G;62;21,0;19,5;2,99;non;masse;3+;;
001014;Rosângela Araújo;30/12/2019;G;57;32,0;34,0;1,65;non;masse;0;;
001015;Bérénice Dupré;29/01/2020;D;55;30,6;19,5;2,97;non;masse;1+;;
001016;Gwenaëlle Hervé;24/02/2020;G;82;22,7;26,9;2,61;non;masse;1+;;
001016;Gwenaëlle Hervé;24/02/2020;D;82;22,7;9,5;0,31;oui;masse;1+;;
001017;Søs Østergård;14/03/2020;G;57;20,0;22,5;19,62;non;non-masse;3+;;
001018;Anaïs Rivière;11/04/2020;D;42;29,1;31,0;2,07;non;non-masse;3+;;
001019;Thérèse Lacôte;14/05/2020;G;45;23,5;27,8;4,48;non;non-masse;3+;;
001020;Solène Peçot;07/06/2020;G;60;29,6;15,1;1,88;oui;non-masse;1+;;
001021;Mathilde Roy;05/07/2020;D;64;19,0;13,5;2,03;oui;non-masse;1+;;
001022;Estèle Vidal;29/07/2020;G;59;27,0;13,1;7,23;non;masse;0;;
001023;Jeanne Forêt;24/08/2020;G;62;27,8;12,6;1,51;non;masse;1+;;
001024;Clémence Bœuf;19/09/2020;D;48;24,7;13,4;1,60;non;masse;0;;
001025;Marie-Noëlle Ça;21/10/2020;D;39;27,4;12,9;1,80;non;non-masse;1+;;
001026;Joëlle Haüy;17/11/2020;D;68;22,9;22,6;8,71;non;masse;0;;
001027;Sylvie Mégevand;10/12/2020;D;50;21,8;24,2;2,64;non;masse;1+;;
001027;Sylvie Mégevand;03/03/2021;D;51;21,8;26,0;3,02;non;masse;1+;;
001028;Andréa Théry;05/01/2021;D;50;25,9;24,3;2,41;oui;masse;3+;;
001029;Ève Lemaître;01/02/2021;G;64;23,0;7,0;3,07;non;masse;1+;;
001030;Régine Crête;08/03/2021;D;65;20,6;24,5;1,18;oui;masse;3+;;
001031;Danièle Frémont;02/04/2021;D;53;21,5;20,1;0,74;oui;non-masse;1+;;
001032;Nadège Pâris;30/04/2021;D;57;27,4;17,3;7,77;non;masse;2+;4,7;6,6
001033;Valérie Sénéchal;21/05/2021;D;43;26,1;22,7;1,17;non;masse;1+;;
001034;Colette Brûlé;21/06/2021;G;58;24,6;7,0;2,17;non;non-masse;0;;
001035;Odile Génin;22/07/2021;D;51;25,3;22,8;0,45;non;non-masse;0;;
001036;Josée Tréma;14/08/2021;D;32;29,2;19,8;2,29;non;masse;0;;
"""

PATHOLOGY = """
IPP;Grade SBR;Ki67 (%)
001001;I;12
001002;II;25
001003;III;8
001004;II;40
001005;III;55
001006;I;18
001007;II;30
001008;III;12
001009;II;25
001010;III;8
001011;I;40
001012;II;55
001013;III;18
001014;II;30
001015;III;12
001016;I;25
001017;II;8
001018;III;40
001019;II;55
001020;III;18
001021;I;30
001022;II;12
001023;III;25
001024;II;8
001025;III;40
001026;I;55
001027;II;18
001028;III;30
001029;II;12
001030;III;25
001031;I;8
001032;II;40
001033;III;55
001034;II;18
001035;III;30
001036;I;12
"""
"""A second file, from the department of pathology, one row a patient."""
